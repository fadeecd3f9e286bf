// SPDX-License-Identifier: Apache-2.0
#include "services/matching/requester_session.h"

#include <utility>

#include "crypto/base/encoding.h"
#include "policy/decide/decide.h"
#include "services/audit/events.h"
#include "services/matching/judge.h"
#include "services/matching/search_events.h"

namespace comity::matching {
namespace {

policy::Decision FailClosed(const policy::Decision& decision) {
  policy::Decision denial;
  denial.code = policy::ReasonCode::kStateUnreadable;
  denial.agreement = decision.agreement;
  denial.clauses = decision.clauses;
  return denial;
}

ObservedSearch Observed(const RequesterTerms& terms, const policy::Decision& permit) {
  return {terms.holder, permit, terms.order->operator_id, terms.order->case_ref};
}

}  // namespace

Status ObserveHits(store::Transaction& transaction, audit::Recorder& recorder,
                   const RequesterPorts& ports, const FoundEntries& found) {
  if (ports.observer == nullptr) return {};
  COMITY_RETURN_IF_ERROR(ports.observer->OnHits(
      transaction, recorder, Observed(found.terms, found.permit), found.references));
  return {};
}

RequesterSession::RequesterSession(RequesterTerms terms, const RequesterPorts& ports)
    : terms_(std::move(terms)), ports_(ports), counts_(ports.clock.Now()) {}

policy::SearchRequest RequesterSession::RequestUnder(
    const policy::AgreementVersion* version) const {
  policy::SearchRequest request = terms_.order->request;
  request.holder = terms_.holder;
  if (version != nullptr) request.agreement = version->ref;
  return request;
}

SearchCommitments RequesterSession::Commitments(const policy::AgreementId& agreement,
                                                policy::Instant now) const {
  const SearchOrder& order = *terms_.order;
  SearchCommitments commitments;
  commitments.officer = ports_.committer.Officer(agreement, now, order.operator_id).value;
  commitments.case_ref = ports_.committer.Case(agreement, now, order.case_ref).value;
  return commitments;
}

// The first agreement that permits, up to capacity, decides; without one, the first of all.
RequesterSession::Considered RequesterSession::Consider(policy::Instant now) const {
  const auto agreements = ports_.agreements();
  std::optional<Considered> first;
  const auto consider = [&](const policy::AgreementVersion* version) {
    Considered one;
    one.request = RequestUnder(version);
    one.verdict = ConsiderAs(terms_.mode, *agreements, one.request, now);
    if (ports_.halted) {
      one.verdict =
          Halt(std::move(one.verdict), ports_.halted(one.request, terms_.order->deployment));
    }
    if (one.verdict.capacity || !first) first = std::move(one);
    return first->verdict.capacity.has_value();
  };
  for (const policy::AgreementId& id : terms_.agreements) {
    if (consider(agreements->FindCurrent(id, now))) break;
  }
  if (!first) consider(nullptr);
  if (first->request.agreement) {
    first->commitments = Commitments(first->request.agreement->id, now);
  }
  return *std::move(first);
}

policy::SearchRequest RequesterSession::Request(policy::Instant now) const {
  return Consider(now).request;
}

Charged RequesterSession::ChargedFor(const Considered& considered, policy::Instant now) const {
  return {own(), considered.commitments, now, BlockFor(considered.request)};
}

audit::Event RequesterSession::SessionEvent(std::string_view type, policy::Instant now,
                                            const policy::Decision& decision) const {
  audit::Event event = MakeEvent(
      {.type = type, .time = now, .exchange = terms_.exchange, .parties = {own(), terms_.holder}},
      decision);
  const std::string& deployment = terms_.order->deployment.text();
  if (!deployment.empty()) event.committed = {{"deployment", deployment}};
  return event;
}

audit::Event RequesterSession::DecidedEvent(std::string_view type, policy::Instant now,
                                            const policy::SearchRequest& request,
                                            const Judgement& judgement) const {
  audit::Event event = SessionEvent(type, now, judgement.decision);
  event.committed["request"] = EncodeRequest(request);
  const SearchOrder& order = *terms_.order;
  event.committed["case_ref"] = order.case_ref;
  event.committed["operator"] = order.operator_id;
  for (const auto& [field, value] : order.justification) event.committed[field] = value;
  if (request.agreement) {
    // What opens the commitments that the holder is sent today.
    const policy::AgreementId& agreement = request.agreement->id;
    const Digest officer = ports_.committer.Officer(agreement, now, order.operator_id).key;
    event.committed["operator_key"] = EncodeHex(officer.view());
    const Digest case_ref = ports_.committer.Case(agreement, now, order.case_ref).key;
    event.committed["case_key"] = EncodeHex(case_ref.view());
  }
  if (!judgement.counters.empty()) event.committed["counters"] = judgement.counters;
  return event;
}

// Logs what must be durable before the decision is acted on, and nothing for the rest.
policy::Decision RequesterSession::Settle(const policy::SearchRequest& request,
                                          const Judgement& judgement, policy::Instant now,
                                          const std::optional<Digest>& open_message) {
  const policy::Decision& decision = judgement.decision;
  std::optional<audit::Event> event;
  if (decision.permitted() && !opened_) {
    event = DecidedEvent(audit::kSearchOpened, now, request, judgement);
    event->committed["ends_at"] = policy::EncodeInstant(terms_.order->ends_at);
  } else if (!decision.permitted() && last_refusal_ != decision.code) {
    event = DecidedEvent(audit::kSearchRefused, now, request, judgement);
    event->counts = {{"refusals", 1}};
  }
  if (event) {
    if (open_message) event->messages = {{"open", *open_message}};
    if (!ports_.journal.Record(*event)) return FailClosed(decision);
  }
  opened_ = opened_ || decision.permitted();
  last_refusal_.reset();
  if (!decision.permitted()) last_refusal_ = decision.code;
  last_decision_ = decision;
  return decision;
}

policy::Decision RequesterSession::Open(policy::Instant now,
                                        const std::optional<Digest>& open_message) {
  const Considered considered = Consider(now);
  const Judgement judgement =
      ConcludeWithoutTaking(considered.verdict, ChargedFor(considered, now), ports_.capacity);
  return Settle(considered.request, judgement, now, open_message);
}

policy::Decision RequesterSession::Outlook(policy::Instant now) const {
  const Considered considered = Consider(now);
  return ConcludeWithoutTaking(considered.verdict, ChargedFor(considered, now), ports_.capacity)
      .decision;
}

policy::Decision RequesterSession::DecideProbe(policy::Instant now) {
  counts_.Face();
  const Considered considered = Consider(now);
  const Judgement judgement =
      ConcludeAndTake(considered.verdict, ChargedFor(considered, now), ports_.capacity);
  const policy::Decision decision = Settle(considered.request, judgement, now, std::nullopt);
  if (!decision.permitted()) counts_.Refused(decision.code);
  return decision;
}

Status RequesterSession::Sent(PendingProbe probe) {
  if (pending_.size() >= kMaxPending) {
    return Fail(ErrorCode::kExhausted, "64 probes are unanswered; wait for answers");
  }
  if ((last_number_ && probe.number <= *last_number_) || pending_.contains(probe.sequence)) {
    return Fail(ErrorCode::kConflict, "the number of a probe does not increase");
  }
  last_number_ = probe.number;
  const std::uint64_t sequence = probe.sequence;
  pending_.emplace(sequence, std::move(probe));
  return {};
}

Result<PendingProbe> RequesterSession::OnAnswer(std::uint64_t sequence,
                                                const policy::Decision& decision,
                                                std::uint64_t hits) {
  auto node = pending_.extract(sequence);
  if (node.empty()) {
    return Fail(ErrorCode::kNotFound, "an answer belongs to no probe that is waiting for one");
  }
  if (decision.permitted()) {
    counts_.Answered(hits);
    if (hits == 0 && ports_.observer != nullptr) {
      ports_.observer->OnMiss(Observed(terms_, node.mapped().decision));
    }
  } else {
    counts_.Refused(decision.code);
  }
  return std::move(node.mapped());
}

std::optional<PendingProbe> RequesterSession::Forget(std::uint64_t sequence) {
  auto node = pending_.extract(sequence);
  if (node.empty()) return std::nullopt;
  counts_.Unanswered();
  return std::move(node.mapped());
}

std::optional<PendingProbe> RequesterSession::TakeBack(std::uint64_t sequence) {
  auto node = pending_.extract(sequence);
  if (node.empty()) return std::nullopt;
  return std::move(node.mapped());
}

policy::Decision RequesterSession::DecideAgain(const policy::Decision& permit,
                                               policy::Instant now) {
  Considered considered = Consider(now);
  policy::Usage none;
  none.probes_today = none.officer_today = none.case_today = 0;
  Judgement judgement{policy::Conclude(std::move(considered.verdict), none), {}};
  // Under another agreement the capacity would have to be taken there.
  const bool is_taken = considered.request.agreement == permit.agreement;
  if (judgement.decision.permitted() && !is_taken) {
    judgement.decision = FailClosed(judgement.decision);
  }
  const policy::Decision decision = Settle(considered.request, judgement, now, std::nullopt);
  if (!decision.permitted()) counts_.Refused(decision.code);
  return decision;
}

std::vector<PendingProbe> RequesterSession::Abandon() {
  std::vector<PendingProbe> taken;
  for (auto& [sequence, probe] : pending_) {
    counts_.Unanswered();
    taken.push_back(std::move(probe));
  }
  pending_.clear();
  return taken;
}

Status RequesterSession::WritePeriod(policy::Instant now, std::string_view type,
                                     std::string_view reason) {
  audit::Event event = SessionEvent(type, now, last_decision_);
  event.decision_code.clear();  // a period has no single decision
  event.clauses.clear();
  event.committed["from"] = policy::EncodeInstant(counts_.from());
  event.committed["to"] = policy::EncodeInstant(now);
  if (!reason.empty()) event.committed["reason"] = std::string(reason);
  event.counts = counts_.AsCounts();
  COMITY_RETURN_IF_ERROR(ports_.journal.Record(event));
  counts_.Restart(now);
  return {};
}

Status RequesterSession::Tick(policy::Instant now) {
  if (closed_ || !counts_.Due(now)) return {};
  return WritePeriod(now, audit::kSearchPeriod, {});
}

Status RequesterSession::Close(std::string_view reason) {
  if (closed_) return {};
  Abandon();
  COMITY_RETURN_IF_ERROR(WritePeriod(ports_.clock.Now(), audit::kSearchClosed, reason));
  closed_ = true;
  return {};
}

}  // namespace comity::matching
