// SPDX-License-Identifier: Apache-2.0
#include "services/matching/judge.h"

#include <utility>

#include "services/matching/search_events.h"

namespace comity::matching {
namespace {

CapacityMeter::Key KeyOf(const policy::CapacityKey& capacity, const policy::AgencyId& requester,
                         policy::Instant now) {
  return {.agreement = capacity.agreement,
          .clause = capacity.clause,
          .requester = requester,
          .day = policy::UtcDay(now)};
}

}  // namespace

policy::Verdict ConsiderDirect(const policy::AgreementSet& agreements,
                               const policy::SearchRequest& request, policy::Instant now) {
  policy::Verdict verdict = policy::Consider(agreements, request, now);
  if (!verdict.capacity || request.mode == policy::SearchMode::kDirect) return verdict;
  policy::Decision denial;
  denial.code = policy::ReasonCode::kModeNotCovered;
  denial.agreement = verdict.decision.agreement;
  denial.clauses = {verdict.capacity->clause, verdict.capacity->clause + ".mode"};
  return {std::move(denial), std::nullopt};
}

Judgement ConcludeWithoutTaking(policy::Verdict verdict, const policy::AgencyId& requester,
                                policy::Instant now, CapacityMeter& meter) {
  if (!verdict.capacity) return {std::move(verdict.decision), {}};
  const std::optional<std::uint64_t> used = meter.Used(KeyOf(*verdict.capacity, requester, now));
  std::string counters = EncodeCounters(*verdict.capacity, used);
  return {policy::Conclude(std::move(verdict), {.probes_today = used}), std::move(counters)};
}

Judgement ConcludeAndTake(policy::Verdict verdict, const policy::AgencyId& requester,
                          policy::Instant now, CapacityMeter& meter) {
  const policy::Verdict again = verdict;
  Judgement judgement = ConcludeWithoutTaking(std::move(verdict), requester, now, meter);
  if (!judgement.decision.permitted()) return judgement;
  const std::uint64_t limit = again.capacity->probes_per_day;
  const Result<bool> taken = meter.Take(KeyOf(*again.capacity, requester, now), limit);
  if (taken && *taken) return judgement;
  // Another session took the last one in between, or the counter went out of reach.
  const std::optional<std::uint64_t> used = taken ? std::optional(limit) : std::nullopt;
  return {policy::Conclude(again, {.probes_today = used}), EncodeCounters(*again.capacity, used)};
}

}  // namespace comity::matching
