// SPDX-License-Identifier: Apache-2.0
#include "services/matching/judge.h"

#include <utility>
#include <vector>

#include "crypto/base/encoding.h"
#include "services/matching/search_events.h"

namespace comity::matching {
namespace {

// Which field of Usage a counter fills.
using UsageField = std::optional<std::uint64_t> policy::Usage::*;

struct Counted {
  CapacityMeter::Demand demand;
  UsageField field;
};

// The requester's counter, the officer's and, if a case stands behind the search, its.
std::vector<Counted> CountersOf(const policy::CapacityKey& capacity, const Charged& charged) {
  CapacityMeter::Key key = RequesterKey(capacity, charged.requester, charged.at);
  std::vector<Counted> counters{
      {{key, capacity.limits.probes_per_day, charged.block}, &policy::Usage::probes_today}};
  key.subject = "officer:" + EncodeHex(charged.subjects.officer.view());
  counters.push_back(
      {{key, capacity.limits.per_officer_per_day, charged.block}, &policy::Usage::officer_today});
  if (charged.subjects.case_ref) {
    key.subject = "case:" + EncodeHex(charged.subjects.case_ref->view());
    counters.push_back(
        {{key, capacity.limits.per_case_per_day, charged.block}, &policy::Usage::case_today});
  }
  return counters;
}

// Asks no further than the first counter that denies: the decision rests on that one.
policy::Usage UsageOf(const std::vector<Counted>& counters, const CapacityMeter& meter) {
  policy::Usage usage;
  const bool has_case = counters.back().field == &policy::Usage::case_today;
  if (!has_case) usage.case_today = 0;  // nothing to count
  for (const Counted& counter : counters) {
    const auto used = meter.Used(counter.demand.key);
    usage.*counter.field = used;
    if (!used || *used >= counter.demand.limit) break;
  }
  return usage;
}

Judgement Concluded(policy::Verdict verdict, const policy::Usage& usage) {
  std::string counters = EncodeCounters(*verdict.capacity, usage);
  return {policy::Conclude(std::move(verdict), usage), std::move(counters)};
}

}  // namespace

CapacityMeter::Key RequesterKey(const policy::CapacityKey& capacity,
                                const policy::AgencyId& requester, policy::Instant at) {
  return {.agreement = capacity.agreement,
          .clause = capacity.clause,
          .requester = requester,
          .day = policy::UtcDay(at)};
}

std::uint64_t BlockFor(const policy::SearchRequest& request) {
  return request.use == policy::UseMode::kRetrospective ? 1 : CapacityMeter::kBlock;
}

policy::Verdict ConsiderAs(policy::SearchMode mode, const policy::AgreementSet& agreements,
                           const policy::SearchRequest& request, policy::Instant now) {
  policy::Verdict verdict = policy::Consider(agreements, request, now);
  if (!verdict.capacity || request.mode == mode) return verdict;
  policy::Decision denial;
  denial.code = policy::ReasonCode::kModeNotCovered;
  denial.agreement = verdict.decision.agreement;
  denial.clauses = {verdict.capacity->clause, verdict.capacity->clause + ".mode"};
  return {std::move(denial), std::nullopt};
}

policy::Verdict Halt(policy::Verdict verdict, std::optional<policy::ReasonCode> reason) {
  if (!verdict.capacity || !reason) return verdict;
  policy::Decision denial;
  denial.code = *reason;
  denial.agreement = verdict.decision.agreement;
  denial.clauses = {verdict.capacity->clause};
  return {std::move(denial), std::nullopt};
}

Judgement ConcludeWithoutTaking(policy::Verdict verdict, const Charged& charged,
                                CapacityMeter& meter) {
  if (!verdict.capacity) return {std::move(verdict.decision), {}};
  const policy::Usage usage = UsageOf(CountersOf(*verdict.capacity, charged), meter);
  return Concluded(std::move(verdict), usage);
}

Judgement ConcludeAndTake(policy::Verdict verdict, const Charged& charged, CapacityMeter& meter) {
  if (!verdict.capacity) return {std::move(verdict.decision), {}};
  const std::vector<Counted> counters = CountersOf(*verdict.capacity, charged);
  const policy::Verdict again = verdict;
  policy::Usage usage = UsageOf(counters, meter);
  Judgement judgement = Concluded(std::move(verdict), usage);
  if (!judgement.decision.permitted()) return judgement;
  std::vector<CapacityMeter::Demand> demands;
  for (const Counted& counter : counters) demands.push_back(counter.demand);
  const auto full = meter.TakeEach(demands);
  if (full && !*full) return judgement;
  // Another session took the last one in between, or a counter went out of reach.
  const Counted& culprit = full ? counters[**full] : counters.front();
  usage.*culprit.field = full ? std::optional(culprit.demand.limit) : std::nullopt;
  return Concluded(again, usage);
}

}  // namespace comity::matching
