// SPDX-License-Identifier: Apache-2.0
#include "services/gateway/federation/link_ledger.h"

#include <algorithm>

#include "services/gateway/wire/convert_hit.h"
#include "services/gateway/wire/convert_policy.h"
#include "services/matching/exchange_id.h"

namespace comity::gateway {

v1::SearchCommitments ToProto(const matching::SearchCommitments& commitments) {
  v1::SearchCommitments proto;
  proto.set_officer(commitments.officer.bytes.data(), Digest::kSize);
  if (commitments.case_ref) {
    proto.set_case_ref(commitments.case_ref->bytes.data(), Digest::kSize);
  }
  return proto;
}

void OpenAttempts::NoteOpen() {
  last_.reset();
  pause_ = kFirstPause;
}

void OpenAttempts::NoteFailure(HolderClosed why) {
  last_ = std::move(why);
  retry_at_ = std::chrono::steady_clock::now() + pause_;
  pause_ = std::min(2 * pause_, kLongestPause);
}

LinkLedger::LinkLedger(Ports ports, matching::RequesterTerms terms, LinkAsker asker,
                       Numbers numbers)
    : ports_(ports),
      holder_(terms.holder),
      own_(terms.order->request.requester),
      order_(terms.order),
      asker_(std::move(asker)),
      numbers_(numbers),
      hits_({ports.hits, ports.alerts, ports.logger}, terms.holder, terms.order),
      exchange_(terms.exchange),
      session_(std::make_unique<matching::RequesterSession>(std::move(terms), ports.search)) {}

std::string LinkLedger::exchange() const {
  return exchange_.With([](const std::string& id) { return id; });
}

void LinkLedger::Offer(const EngineProbe& probe, Time deadline) {
  matching::WindowProbe copy{probe.sequence,
                             probe.capture_ref,
                             probe.camera,
                             probe.captured_at,
                             SecretBytes::CopyOf(AsBytes(probe.embedding)),
                             probe.track};
  if (window_.Offer(std::move(copy), deadline)) return;
  Explain({probe.sequence, probe.capture_ref}, {{}, {}, v1::Unanswered::REASON_HOLDER_BUSY});
}

bool LinkLedger::IsPermitted() {
  return session_.With([&](const Session& session) { return session->Outlook(Now()).permitted(); });
}

std::optional<policy::Decision> LinkLedger::TakenFor(std::uint64_t sequence) {
  return taken_.With([&](auto& taken) -> std::optional<policy::Decision> {
    auto node = taken.extract(sequence);
    if (node.empty()) return std::nullopt;
    return std::move(node.mapped());
  });
}

void LinkLedger::GiveBack(matching::WindowProbe probe) {
  const std::uint64_t sequence = probe.sequence;
  const auto sent = session_.With([&](Session& session) { return session->TakeBack(sequence); });
  if (!sent) return;  // expired: who asked has been told
  PutBack(std::move(probe), sent->decision);
}

void LinkLedger::PutBack(matching::WindowProbe probe, const policy::Decision& permit) {
  const std::uint64_t sequence = probe.sequence;
  taken_.With([&](auto& taken) { taken.insert_or_assign(sequence, permit); });
  if (window_.GiveBack(std::move(probe))) return;
  if (TakenFor(sequence)) session_.With([](Session& session) { session->Lost(); });
}

void LinkLedger::AnswerUnasked(const matching::WindowProbe& probe, v1::WatchAnswer outcome) {
  session_.With([](Session& session) { session->Unsent(); });
  if (!window_.Settle(probe.sequence)) return;
  v1::WatchAnswer answer = AnswerTo({probe.sequence, probe.capture_ref});
  if (outcome.has_answered()) *answer.mutable_answered() = std::move(*outcome.mutable_answered());
  if (outcome.has_unanswered()) *answer.mutable_unanswered() = outcome.unanswered();
  asker_.deliver(std::move(answer));
}

LinkLedger::Decided LinkLedger::Decide(const matching::WindowProbe& probe, bool is_open) {
  Decided decided;
  const auto taken = TakenFor(probe.sequence);
  session_.With([&](Session& session) {
    const auto now = Now();
    if (taken) {
      if (!is_open || !window_.Holds(probe.sequence)) return session->Lost();
      decided.decision = session->DecideAgain(*taken, now);
      if (!decided.permitted()) return;
      decided.commitments = session->Commitments(decided.decision->agreement->id, now);
      return;
    }
    if (!window_.Holds(probe.sequence) || (!is_open && session->Outlook(now).permitted())) {
      return session->Unsent();
    }
    decided.decision = session->DecideProbe(now);
    if (!decided.permitted()) return;
    decided.commitments = session->Commitments(decided.decision->agreement->id, now);
    // Between the look and the decision an agreement can come back into force: the next is sent.
    if (!is_open) session->Lost();
  });
  return decided;
}

void LinkLedger::AnswerUnsent(const matching::WindowProbe& probe, const Decided& decided,
                              const HolderClosed& why) {
  if (!decided.decision || decided.permitted()) return SettleAs(probe, why);
  SettleAs(probe, {decided.decision, own_, {}});
}

void LinkLedger::SettleAs(const matching::WindowProbe& probe, const HolderClosed& why) {
  if (window_.Settle(probe.sequence)) Explain({probe.sequence, probe.capture_ref}, why);
}

std::optional<v1::Answered> LinkLedger::OnAnswer(const HolderAnswer& answer,
                                                 const matching::PendingProbe& probe) {
  if (answer.decision.permitted()) return OnHits(answer, probe);
  Refuse(AskedOf(probe), answer.decision, holder_);
  return std::nullopt;
}

std::optional<v1::Answered> LinkLedger::OnHits(const HolderAnswer& answer,
                                               const matching::PendingProbe& probe) {
  const auto reports = hits_.ReportsOf(answer, probe);
  if (!reports) {
    Explain(AskedOf(probe), {{}, {}, v1::Unanswered::REASON_HOLDER_FAULT});
    return std::nullopt;
  }
  const LinkHits::Outcome outcome = hits_.Raise(*reports, probe.decision, asker_);
  if (const auto* denial = std::get_if<policy::Decision>(&outcome)) {
    Refuse(AskedOf(probe), *denial, own_);
    return std::nullopt;
  }
  const auto* raised = std::get_if<std::vector<casework::Raised>>(&outcome);
  if (raised == nullptr) return std::nullopt;
  v1::WatchAnswer out = AnswerTo(AskedOf(probe));
  v1::Answered& answered = *out.mutable_answered();
  answered.set_mode(gateway::ToProto(*order_->request.mode));
  answered.set_entries(answer.entries);
  for (std::size_t i = 0; i < raised->size(); ++i) {
    if ((*raised)[i].withdrawn) continue;
    v1::AlertRef& alert = *answered.add_alerts();
    alert.set_alert((*raised)[i].alert.id);
    alert.set_merged((*raised)[i].merged);
    // Who asked sees of the hit what is released to them (AG-9).
    const casework::HitReport& report = (*reports)[i];
    *alert.mutable_hit() =
        gateway::ToProto(casework::VisibleTo(asker_.roles, report.hit, report.releases));
  }
  v1::Answered told = answered;
  asker_.deliver(std::move(out));
  return told;
}

void LinkLedger::StartAnew(std::string_view reason) {
  AbandonSent(exchange(), {});
  const std::string next = matching::NewExchangeId(ports_.random);
  session_.With([&](Session& session) {
    if (const Status closed = session->Close(reason); !closed) {
      ports_.logger.Error("audit-write-failed", {{"reason", closed.error().detail}});
    }
    matching::RequesterTerms terms = session->terms();
    terms.exchange = next;
    session = std::make_unique<matching::RequesterSession>(std::move(terms), ports_.search);
  });
  exchange_.With([&](std::string& id) { id = next; });
}

void LinkLedger::AbandonSent(const std::string& exchange, const HolderClosed& why) {
  const auto left = session_.With([&](Session& session) {
    // A call that took its time to end says nothing about the session after it.
    if (session->terms().exchange != exchange) return std::vector<matching::PendingProbe>();
    return session->Abandon();
  });
  for (const matching::PendingProbe& probe : left) {
    if (window_.Settle(probe.sequence)) Explain(AskedOf(probe), why);
  }
}

Status LinkLedger::Tick(Time now) {
  const auto late = window_.Expire(now);
  std::vector<std::optional<std::uint64_t>> numbers;
  const Status ticked = session_.With([&](Session& session) {
    for (const auto& probe : late) {
      const auto sent = session->Forget(probe.sequence);
      numbers.push_back(sent ? std::optional(sent->number) : std::nullopt);
      // What the sender has in hand and has not sent is counted by the sender.
      if (sent || !probe.waiting) continue;
      if (TakenFor(probe.sequence)) {
        session->Lost();
      } else {
        session->Unsent();
      }
    }
    return session->Tick(Now());
  });
  for (std::size_t i = 0; i < late.size(); ++i) {
    Explain({late[i].sequence, late[i].capture_ref, numbers[i]},
            {{}, {}, v1::Unanswered::REASON_DEADLINE});
  }
  return ticked;
}

void LinkLedger::Finish(std::string_view reason) {
  AbandonSent(exchange(), {});
  const auto left = window_.Drain();
  const Status closed = session_.With([&](Session& session) {
    for (const auto& probe : left) {
      if (TakenFor(probe.sequence)) {
        session->Lost();
      } else {
        session->Unsent();
      }
    }
    return session->Close(reason);
  });
  if (!closed) ports_.logger.Error("audit-write-failed", {{"reason", closed.error().detail}});
  for (const auto& probe : left) Explain({probe.sequence, probe.capture_ref}, {});
}

v1::WatchAnswer LinkLedger::AnswerTo(const Asked& asked) const {
  v1::WatchAnswer answer;
  answer.set_sequence(asked.sequence);
  answer.set_capture_ref(asked.capture_ref);
  answer.set_holder(holder_.text());
  answer.set_mode(gateway::ToProto(*order_->request.mode));
  const std::string session = exchange();
  const bool named = asked.number || numbers_ == Numbers::kEngine;
  answer.set_exchange_id(
      named ? matching::ProbeExchangeId(session, asked.number.value_or(asked.sequence)) : session);
  return answer;
}

void LinkLedger::Refuse(const Asked& asked, const policy::Decision& decision,
                        const policy::AgencyId& by) const {
  v1::WatchAnswer answer = AnswerTo(asked);
  *answer.mutable_refused() = gateway::ToProto(decision);
  answer.set_refused_by(by.text());
  asker_.deliver(std::move(answer));
}

void LinkLedger::Explain(const Asked& asked, const HolderClosed& why) const {
  if (why.decision) return Refuse(asked, *why.decision, why.refused_by);
  v1::WatchAnswer answer = AnswerTo(asked);
  answer.mutable_unanswered()->set_reason(why.reason);
  asker_.deliver(std::move(answer));
}

}  // namespace comity::gateway
