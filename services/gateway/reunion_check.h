// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "services/agreements/register.h"
#include "services/gateway/federation/agreement_courier.h"
#include "services/oversight/restoration.h"

namespace comity::gateway {

// Notes which of the partners have answered for every agreement with them since this start: what a
// restored node has forgotten of them is known again then.
//
// Errors: those of Reunion::NoteReached
Status NoteReunited(oversight::Reunion& reunion, const std::vector<policy::AgencyId>& partners,
                    const agreements::Register& agreements, const AgreementCourier& courier);

}  // namespace comity::gateway
