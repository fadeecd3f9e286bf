// SPDX-License-Identifier: Apache-2.0
#include "services/matching/requester_session.h"

#include <utility>

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

}  // namespace

RequesterSession::RequesterSession(RequesterTerms terms, const RequesterPorts& ports)
    : terms_(std::move(terms)), ports_(ports), counts_(ports.clock.Now()) {}

policy::SearchRequest RequesterSession::Request(policy::Instant now) const {
  return RequestUnder(*ports_.agreements(), now);
}

policy::SearchRequest RequesterSession::RequestUnder(const policy::AgreementSet& agreements,
                                                     policy::Instant now) const {
  const Deployment& deployment = *terms_.deployment;
  policy::SearchRequest request;
  request.requester = terms_.own_agency;
  request.holder = terms_.holder;
  if (const auto* current = agreements.FindCurrent(deployment.agreement, now)) {
    request.agreement = current->ref;
  }
  request.purpose = deployment.purpose;
  request.role = policy::RequesterRole::kEngine;
  request.use = policy::UseMode::kLive;
  request.mode = deployment.mode;
  request.list_categories = deployment.list_categories;
  request.engine = deployment.engine;
  request.threshold = deployment.threshold;
  return request;
}

audit::Event RequesterSession::SessionEvent(std::string_view type, policy::Instant now,
                                            const policy::Decision& decision) const {
  audit::Event event = MakeEvent({.type = type,
                                  .time = now,
                                  .exchange = terms_.exchange,
                                  .parties = {terms_.own_agency, terms_.holder}},
                                 decision);
  event.committed = {{"deployment", terms_.deployment_id.text()}};
  return event;
}

audit::Event RequesterSession::DecidedEvent(std::string_view type, policy::Instant now,
                                            const policy::SearchRequest& request,
                                            const Judgement& judgement) const {
  audit::Event event = SessionEvent(type, now, judgement.decision);
  event.committed["request"] = EncodeRequest(request);
  event.committed["case_ref"] = terms_.deployment->case_ref;
  event.committed["operator"] = terms_.operator_id;
  if (!terms_.operator_key.empty()) event.committed["operator_key"] = terms_.operator_key;
  event.committed["engine_name"] = terms_.deployment->engine_name;
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
    event->committed["ends_at"] = policy::EncodeInstant(terms_.deployment->ends_at);
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
  const auto agreements = ports_.agreements();
  const policy::SearchRequest request = RequestUnder(*agreements, now);
  const Judgement judgement = ConcludeWithoutTaking(ConsiderDirect(*agreements, request, now),
                                                    terms_.own_agency, now, ports_.capacity);
  return Settle(request, judgement, now, open_message);
}

policy::Decision RequesterSession::Outlook(policy::Instant now) const {
  const auto agreements = ports_.agreements();
  return ConcludeWithoutTaking(ConsiderDirect(*agreements, RequestUnder(*agreements, now), now),
                               terms_.own_agency, now, ports_.capacity)
      .decision;
}

policy::Decision RequesterSession::DecideProbe(policy::Instant now) {
  counts_.Face();
  const auto agreements = ports_.agreements();
  const policy::SearchRequest request = RequestUnder(*agreements, now);
  const Judgement judgement = ConcludeAndTake(ConsiderDirect(*agreements, request, now),
                                              terms_.own_agency, now, ports_.capacity);
  const policy::Decision decision = Settle(request, judgement, now, std::nullopt);
  if (!decision.permitted()) counts_.Refused(decision.code);
  return decision;
}

Status RequesterSession::Sent(PendingProbe probe) {
  if (pending_.size() >= kMaxPending) {
    return Fail(ErrorCode::kExhausted, "64 probes are unanswered; wait for answers");
  }
  if (last_sequence_ && probe.sequence <= *last_sequence_) {
    return Fail(ErrorCode::kConflict, "the sequence of a probe does not increase");
  }
  last_sequence_ = probe.sequence;
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
  } else {
    counts_.Refused(decision.code);
  }
  return std::move(node.mapped());
}

std::vector<PendingProbe> RequesterSession::Expire(policy::Instant now) {
  // In both directions: after a clock was set back nobody knows how old a probe is.
  return TakeOut([&](const PendingProbe& probe) {
    return now - probe.sent_at >= kDeadline || probe.sent_at - now >= kDeadline;
  });
}

std::vector<PendingProbe> RequesterSession::Abandon() {
  return TakeOut([](const PendingProbe&) { return true; });
}

std::vector<PendingProbe> RequesterSession::TakeOut(
    const std::function<bool(const PendingProbe&)>& wanted) {
  std::vector<PendingProbe> taken;
  for (auto it = pending_.begin(); it != pending_.end();) {
    if (!wanted(it->second)) {
      ++it;
      continue;
    }
    counts_.Unanswered();
    taken.push_back(std::move(it->second));
    it = pending_.erase(it);
  }
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
