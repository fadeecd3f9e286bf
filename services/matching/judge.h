// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

#include "policy/decide/decide.h"
#include "policy/model/decision.h"
#include "policy/model/ids.h"
#include "policy/model/instant.h"
#include "services/matching/capacity_meter.h"

namespace comity::matching {

// A decision with the counter that it read.
struct Judgement {
  policy::Decision decision;
  std::string counters;  // EncodeCounters; empty when the decision needed none
};

// As policy::Consider, for what this gateway can carry out: a permission of mode `sealed` is denied
// (mode-not-covered), because a search that nobody else may see must never run as a direct one.
policy::Verdict ConsiderDirect(const policy::AgreementSet& agreements,
                               const policy::SearchRequest& request, policy::Instant now);

// Completes a verdict by what the counter of `requester` holds today. Takes nothing.
Judgement ConcludeWithoutTaking(policy::Verdict verdict, const policy::AgencyId& requester,
                                policy::Instant now, CapacityMeter& meter);
// The same, and takes one probe. A permit means that the probe is taken, durably.
Judgement ConcludeAndTake(policy::Verdict verdict, const policy::AgencyId& requester,
                          policy::Instant now, CapacityMeter& meter);

}  // namespace comity::matching
