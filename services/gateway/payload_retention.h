// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <optional>

#include "policy/decide/agreement_set.h"
#include "services/audit/journal.h"

namespace comity::gateway {

// How long the payload of a log entry may be kept by the agreement that it names: both parties may
// have agreed on less than the law allows, and what says why a search was made goes by its own
// period too. Absent: the agreement is not known.
//
// In: event  names an agreement
std::optional<std::chrono::seconds> PayloadRetention(const policy::AgreementSet& known,
                                                     const audit::Event& event);

}  // namespace comity::gateway
