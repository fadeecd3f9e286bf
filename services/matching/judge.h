// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "policy/decide/decide.h"
#include "policy/model/decision.h"
#include "policy/model/ids.h"
#include "policy/model/instant.h"
#include "services/matching/capacity_meter.h"
#include "services/matching/search_commitments.h"

namespace comity::matching {

// A decision with the counters that it read.
struct Judgement {
  policy::Decision decision;
  std::string counters;  // EncodeCounters; empty when the decision needed none
};

// On whose counters a probe is counted. Both sides count officer and case by the same commitments.
struct Charged {
  const policy::AgencyId& requester;
  const SearchCommitments& subjects;
  policy::Instant at{};
  std::uint64_t block = CapacityMeter::kBlock;
};
// The counter of all the requester's probes today.
CapacityMeter::Key RequesterKey(const policy::CapacityKey& capacity,
                                const policy::AgencyId& requester, policy::Instant at);
// One search by a person is reserved by itself: a crash loses none.
std::uint64_t BlockFor(const policy::SearchRequest& request);

// As policy::Consider, for a search that is carried out in `mode`: a request for the other one is
// denied (mode-not-covered), because a probe that nobody else may see must never travel as a direct
// one.
policy::Verdict ConsiderAs(policy::SearchMode mode, const policy::AgreementSet& agreements,
                           const policy::SearchRequest& request, policy::Instant now);

// The verdict, or, when it is a permit in waiting and there is a reason of the moment against it, a
// denial for that reason.
policy::Verdict Halt(policy::Verdict verdict, std::optional<policy::ReasonCode> reason);

// Completes a verdict by what the counters hold today. Takes nothing.
Judgement ConcludeWithoutTaking(policy::Verdict verdict, const Charged& charged,
                                CapacityMeter& meter);
// The same, and takes one probe from each counter or none. A permit means that it is taken,
// durably.
Judgement ConcludeAndTake(policy::Verdict verdict, const Charged& charged, CapacityMeter& meter);

}  // namespace comity::matching
