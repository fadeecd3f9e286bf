// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "comity/v1/recognition.pb.h"
#include "policy/decide/agreement_set.h"
#include "policy/model/decision.h"
#include "services/gateway/agency/deployment_holders.h"
#include "services/matching/deployment_proposal.h"
#include "services/matching/requester_session.h"

namespace comity::gateway {

// What a deployment would meet at one holder.
struct HolderOutlook {
  policy::Decision decision;
  matching::HolderForecast forecast;
};

// In:     offers  what the partners said they let be searched; may lack some
HolderOutlook OutlookAt(const AskedHolder& asked, const matching::SearchOrder& order,
                        const matching::RequesterPorts& search, const v1::OffersResponse& offers);

// Whether a deployment's threshold keeps the floor of every holder that it names, as far as the
// agreements of this moment say. Reads no counter.
// Errors: kInvalidArgument  names the holder whose floor it is below
Status CheckFloors(const matching::Deployment& definition, const policy::AgreementSet& agreements,
                   const policy::AgencyId& self, policy::Instant now);

}  // namespace comity::gateway
