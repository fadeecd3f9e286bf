// SPDX-License-Identifier: Apache-2.0
#include "services/gateway/federation/holder_link.h"

#include <algorithm>
#include <utility>

#include "services/gateway/wire/convert_hit.h"
#include "services/gateway/wire/convert_policy.h"
#include "services/gateway/wire/convert_time.h"
#include "services/gateway/wire/wipe_message.h"
#include "services/matching/exchange_id.h"
#include "services/transport/limits.h"

namespace comity::gateway {
namespace {

namespace limits = transport::limits;
using std::chrono::steady_clock;

constexpr std::chrono::milliseconds kFirstPause{250};
constexpr std::chrono::milliseconds kLongestPause{30'000};
constexpr std::chrono::seconds kGrace{60};  // a call outlives its deployment by no more than this
constexpr std::chrono::milliseconds kCancelAgain{50};

v1::SearchCommitments ToProto(const matching::SearchCommitments& commitments) {
  v1::SearchCommitments proto;
  proto.set_officer(commitments.officer.bytes.data(), Digest::kSize);
  if (commitments.case_ref) {
    proto.set_case_ref(commitments.case_ref->bytes.data(), Digest::kSize);
  }
  return proto;
}

}  // namespace

HolderLink::HolderLink(Ports ports, matching::RequesterTerms terms, Asker asker)
    : ports_(ports),
      holder_(terms.holder),
      own_(terms.order->request.requester),
      order_(terms.order),
      asker_(std::move(asker)),
      exchange_(terms.exchange),
      session_(std::make_unique<matching::RequesterSession>(std::move(terms), ports.search)),
      pause_(kFirstPause),
      sender_([this](const std::stop_token& stop) { Run(stop); }) {}

HolderLink::~HolderLink() {
  StopSender();
}

void HolderLink::Offer(const EngineProbe& probe, Time deadline) {
  matching::WindowProbe copy{probe.sequence, probe.capture_ref, probe.camera, probe.captured_at,
                             SecretBytes::CopyOf(AsBytes(probe.embedding))};
  if (window_.Offer(std::move(copy), deadline)) return;
  Explain(probe.sequence, probe.capture_ref, {{}, {}, v1::Unanswered::REASON_HOLDER_BUSY});
}

void HolderLink::Run(const std::stop_token& stop) {
  while (const auto probe = window_.Next(stop)) Handle(*probe, stop);
  sender_done_.With([](bool& done) { done = true; });
}

void HolderLink::Handle(const matching::WindowProbe& probe, const std::stop_token& stop) {
  // Opening comes first, so that the log entry of the period holds the digest of the opening
  // message.
  const bool is_open = EnsureOpen(stop);
  std::optional<policy::Decision> decision;  // absent: not decided
  matching::SearchCommitments commitments;
  session_.With([&](Session& session) {
    const auto now = ports_.search.clock.Now();
    // What cannot be sent takes no capacity, nor does what was answered while it waited; what is
    // refused is decided, hence logged, all the same.
    if (!window_.Holds(probe.sequence) || (!is_open && session->Outlook(now).permitted())) {
      return session->Unsent();
    }
    decision = session->DecideProbe(now);
    if (!decision->permitted()) return;
    commitments = session->Commitments(decision->agreement->id, now);
    // Between the look and the decision an agreement can come back into force: the next is sent.
    if (!is_open) session->Lost();
  });
  if (is_open && decision && decision->permitted()) return Send(probe, *decision, commitments);
  if (!window_.Settle(probe.sequence)) return;
  if (decision && !decision->permitted()) {
    return Refuse(probe.sequence, probe.capture_ref, *decision, own_);
  }
  Explain(probe.sequence, probe.capture_ref, last_.value_or(HolderClosed{}));
}

bool HolderLink::EnsureOpen(const std::stop_token& stop) {
  if (call_ && call_->IsOpen() && call_->IsTrusted()) return true;
  if (call_) {
    DropCall();
    StartAnew("the holder ended the session");
  }
  if (stop.stop_requested()) return false;
  // What is refused here is not tried there, and does not make the next attempt later: a stop that
  // is lifted lets the next face through.
  const bool permitted = session_.With([&](const Session& session) {
    return session->Outlook(ports_.search.clock.Now()).permitted();
  });
  if (!permitted) return false;
  if (!last_ || steady_clock::now() >= retry_at_) {
    last_ = OpenCall(stop);
    if (!last_) {
      pause_ = kFirstPause;
      return true;
    }
    DropCall();
    StartAnew(last_->decision ? "the holder refused the session" : "the holder is out of reach");
    retry_at_ = steady_clock::now() + pause_;
    pause_ = std::min(2 * pause_, kLongestPause);
  }
  return false;
}

std::optional<HolderClosed> HolderLink::OpenCall(const std::stop_token& stop) {
  const auto now = ports_.search.clock.Now();
  const std::string exchange = exchange_.With([](const std::string& id) { return id; });
  v1::SignedMessage message;
  policy::Decision decision;
  session_.With([&](Session& session) {
    const policy::SearchRequest request = session->Request(now);
    v1::SearchOpen open;
    *open.mutable_terms() = gateway::ToProto(request);
    open.set_deployment(order_->deployment.text());
    *open.mutable_ends_at() = gateway::ToProto(order_->ends_at);
    if (request.agreement) {
      *open.mutable_commitments() = ToProto(session->Commitments(request.agreement->id, now));
    }
    message = ports_.signer.Sign(std::move(open), holder_, exchange);
    decision = session->Open(now, MessageDigest(message));
  });
  if (!decision.permitted()) return HolderClosed{decision, own_, {}};
  const auto deadline =
      std::chrono::time_point_cast<std::chrono::system_clock::duration>(order_->ends_at + kGrace);
  call_ = std::make_shared<HolderCall>(
      HolderCall::Ports{ports_.peers, ports_.verifier, ports_.logger},
      HolderCall::Terms{holder_, exchange, deadline},
      HolderCall::Events{
          [this, exchange](const v1::SearchAnswer& answer, const Digest& digest) {
            return OnAnswer({answer, FromProto(answer.decision()), digest, exchange});
          },
          [this, exchange](const HolderClosed& why) { AbandonSent(exchange, why); }});
  shared_call_.With([&](auto& shared) { shared = call_; });
  if (stop.stop_requested()) return HolderClosed{};
  return call_->Open(message, ports_.peer_deadline);
}

// Others may hold the call for a moment longer; its end waits for its reader, outside any lock.
void HolderLink::DropCall() {
  std::shared_ptr<HolderCall> former;
  shared_call_.With([&](auto& shared) { shared.swap(former); });
  if (call_) call_->Cancel();
  call_.reset();
}

// A session that was opened once, or refused by the holder, is over: its exchange id is used up.
void HolderLink::StartAnew(std::string_view reason) {
  AbandonSent(exchange_.With([](const std::string& id) { return id; }), {});
  const std::string exchange = matching::NewExchangeId(ports_.random);
  session_.With([&](Session& session) {
    if (const Status closed = session->Close(reason); !closed) {
      ports_.logger.Error("audit-write-failed", {{"reason", closed.error().detail}});
    }
    matching::RequesterTerms terms = session->terms();
    terms.exchange = exchange;
    session = std::make_unique<matching::RequesterSession>(std::move(terms), ports_.search);
  });
  exchange_.With([&](std::string& id) { id = exchange; });
}

void HolderLink::Send(const matching::WindowProbe& probe, const policy::Decision& permit,
                      const matching::SearchCommitments& commitments) {
  v1::SearchProbe message;
  message.set_sequence(probe.sequence);
  *message.mutable_agreement() = gateway::ToProto(*permit.agreement);
  *message.mutable_commitments() = ToProto(commitments);
  const ByteView embedding = probe.embedding.Expose();
  message.set_embedding(embedding.data(), embedding.size());
  v1::SignedMessage envelope = ports_.signer.Sign(message, holder_, call_->exchange());
  const WipeAtExit wipe_message(*message.mutable_embedding());
  const WipeAtExit wipe_envelope(*envelope.mutable_payload());
  Status noted;
  const bool held = session_.With([&](Session& session) {
    if (!window_.Holds(probe.sequence)) {  // too late: who asked has been told
      session->Lost();
      return false;
    }
    noted = session->Sent({probe.sequence, probe.capture_ref, probe.camera, probe.captured_at,
                           permit, MessageDigest(envelope)});
    if (!noted) session->Lost();
    return true;
  });
  if (!held) return;
  if (!noted) {
    if (!window_.Settle(probe.sequence)) return;
    return Explain(probe.sequence, probe.capture_ref,
                   {{}, {}, v1::Unanswered::REASON_HOLDER_FAULT});
  }
  if (!call_->Write(envelope, limits::kProbeDeadline)) AbandonSent(call_->exchange(), {});
}

Status HolderLink::OnAnswer(const Answered& answer) {
  const std::uint64_t sequence = answer.message.sequence();
  const auto hits = static_cast<std::uint64_t>(answer.message.hits_size());
  const auto probe = session_.With([&](Session& session) -> Result<matching::PendingProbe> {
    if (session->terms().exchange != answer.exchange) {
      return Fail(ErrorCode::kNotFound, "an answer of a session that is over");
    }
    // Expired meanwhile: who asked has been told, and a late hit is not replayed.
    if (session->Waits(sequence) && !window_.Settle(sequence)) session->Forget(sequence);
    return session->OnAnswer(sequence, answer.decision, hits);
  });
  if (!probe) return {};
  if (answer.decision.permitted()) {
    OnHits(answer, *probe);
  } else {
    Refuse(probe->sequence, probe->capture_ref, answer.decision, holder_);
  }
  return {};
}

// Errors: what the holder released is not what was asked for
Result<std::vector<casework::HitReport>> HolderLink::ReportsOf(
    const Answered& answer, const matching::PendingProbe& probe) const {
  const auto fault = [] { return Fail(ErrorCode::kInvalidArgument, "not what was asked for"); };
  // The permit that the probe was sent under bounds what may come back: the terms of this moment
  // may be others already.
  if (answer.decision.agreement != probe.decision.agreement ||
      static_cast<std::uint32_t>(answer.message.hits_size()) > probe.decision.hit_cap) {
    return fault();
  }
  COMITY_ASSIGN_OR_RETURN(const policy::Instant answered_at,
                          FromProto(answer.message.header().sent_at()));
  std::vector<casework::HitReport> reports;
  for (const v1::Hit& wire : answer.message.hits()) {
    COMITY_ASSIGN_OR_RETURN(auto hit, FromProto(wire));
    if (hit.category && std::ranges::count(order_->request.list_categories, *hit.category) == 0) {
      return fault();
    }
    casework::HitReport& report = reports.emplace_back();
    report.deployment = order_->deployment;
    report.holder = holder_;
    report.hit = Permitted(std::move(hit), probe.decision.releases);
    report.releases = probe.decision.releases;
    report.answered_at = answered_at;
    report.threshold = *order_->request.threshold;
    report.engine = *order_->request.engine;
    report.agreement = *answer.decision.agreement;
    report.clauses = answer.decision.clauses;
    report.alert_retention = probe.decision.alert_retention;
    report.messages = {{"probe", probe.message}, {"answer", answer.digest}};
    report.frame = {probe.capture_ref, probe.camera, probe.captured_at,
                    matching::ProbeExchangeId(answer.exchange, probe.sequence)};
  }
  return reports;
}

std::optional<std::vector<casework::Raised>> HolderLink::Raise(
    const std::vector<casework::HitReport>& reports, const matching::PendingProbe& probe) {
  // Whoever stops the search waits until the alert is durable, or sees that there is none.
  const auto ticket = ports_.search.barrier.Enter();
  if (asker_.is_stopped()) return std::nullopt;
  if (const auto halted = HaltedNow(probe.decision)) {
    Refuse(probe.sequence, probe.capture_ref, *halted, own_);
    return std::nullopt;
  }
  auto raised = ports_.alerts.RaiseAll(reports);
  Status watched;
  if (raised && !reports.empty()) {
    std::vector<std::string> references;
    for (const auto& report : reports) {
      // An entry whose reference is not released cannot be told from another: it is none twice.
      references.push_back(report.hit.reference.empty()
                               ? report.frame.exchange_id + "/" + std::to_string(references.size())
                               : report.hit.reference);
    }
    watched =
        matching::ObserveHits(ports_.search, {holder_, {}, {}, order_}, probe.decision, references);
  }
  if (raised && watched) return *std::move(raised);
  // What could not be made durable must not be acted on: nobody could account for it.
  ports_.logger.Error("alert-not-stored",
                      {{"reason", raised ? watched.error().detail : raised.error().detail}});
  Refuse(probe.sequence, probe.capture_ref, {}, own_);
  return std::nullopt;
}

std::optional<policy::Decision> HolderLink::HaltedNow(const policy::Decision& permit) const {
  if (!ports_.search.halted) return std::nullopt;
  policy::SearchRequest request = order_->request;
  request.holder = holder_;
  request.agreement = permit.agreement;
  const auto reason = ports_.search.halted(request, order_->deployment);
  if (!reason) return std::nullopt;
  policy::Decision denial;
  denial.code = *reason;
  denial.agreement = permit.agreement;
  denial.clauses = permit.clauses;
  return denial;
}

void HolderLink::OnHits(const Answered& answer, const matching::PendingProbe& probe) {
  const auto reports = ReportsOf(answer, probe);
  if (!reports) {
    return Explain(probe.sequence, probe.capture_ref,
                   {{}, {}, v1::Unanswered::REASON_HOLDER_FAULT});
  }
  const auto raised = Raise(*reports, probe);
  if (!raised) return;
  v1::WatchAnswer out = AnswerTo(probe.sequence, probe.capture_ref);
  v1::Answered& answered = *out.mutable_answered();
  answered.set_mode(gateway::ToProto(*order_->request.mode));
  answered.set_entries(answer.message.entries());
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
  asker_.deliver(std::move(out));
}

void HolderLink::AbandonSent(const std::string& exchange, const HolderClosed& why) {
  const auto left = session_.With([&](Session& session) {
    // A call that took its time to end says nothing about the session after it.
    if (session->terms().exchange != exchange) return std::vector<matching::PendingProbe>();
    return session->Abandon();
  });
  for (const matching::PendingProbe& probe : left) {
    if (window_.Settle(probe.sequence)) Explain(probe.sequence, probe.capture_ref, why);
  }
}

Status HolderLink::Tick(Time now) {
  // The call may end here, with the last hand on it: outside the lock.
  if (const auto call = shared_call_.With([](const auto& shared) { return shared; })) {
    call->CancelLateWrite();
    // A holder that was suspended, removed or whose certificate was revoked: no face need come for
    // its call to end.
    if (call->IsOpen() && !call->IsTrusted()) call->Cancel();
  }
  const auto late = window_.Expire(now);
  const Status ticked = session_.With([&](Session& session) {
    for (const auto& probe : late) {
      // What the sender has in hand and has not sent is counted by the sender.
      if (probe.waiting) {
        session->Unsent();
      } else {
        session->Forget(probe.sequence);
      }
    }
    return session->Tick(ports_.search.clock.Now());
  });
  for (const auto& probe : late) {
    Explain(probe.sequence, probe.capture_ref, {{}, {}, v1::Unanswered::REASON_DEADLINE});
  }
  return ticked;
}

void HolderLink::Cancel() {
  window_.Close();
  sender_.request_stop();
  if (const auto call = shared_call_.With([](const auto& shared) { return shared; })) {
    call->Cancel();
  }
}

void HolderLink::StopSender() {
  if (!sender_.joinable()) return;
  // A call that is just beginning can miss a cancellation: it is told until it has heard.
  do {
    Cancel();
  } while (!sender_done_.WaitUntil(
      {}, steady_clock::now() + kCancelAgain, [](bool done) { return done; }, [](bool&) {}));
  sender_.join();
}

void HolderLink::Finish(std::string_view reason) {
  StopSender();
  DropCall();
  AbandonSent(exchange_.With([](const std::string& id) { return id; }), {});
  const auto left = window_.Drain();
  const Status closed = session_.With([&](Session& session) {
    for (std::size_t i = 0; i < left.size(); ++i) session->Unsent();
    return session->Close(reason);
  });
  if (!closed) ports_.logger.Error("audit-write-failed", {{"reason", closed.error().detail}});
  for (const auto& probe : left) Explain(probe.sequence, probe.capture_ref, {});
}

v1::WatchAnswer HolderLink::AnswerTo(std::uint64_t sequence, const std::string& capture_ref) const {
  v1::WatchAnswer answer;
  answer.set_sequence(sequence);
  answer.set_capture_ref(capture_ref);
  answer.set_holder(holder_.text());
  answer.set_exchange_id(exchange_.With(
      [&](const std::string& id) { return matching::ProbeExchangeId(id, sequence); }));
  return answer;
}

void HolderLink::Refuse(std::uint64_t sequence, const std::string& capture_ref,
                        const policy::Decision& decision, const policy::AgencyId& by) const {
  v1::WatchAnswer answer = AnswerTo(sequence, capture_ref);
  *answer.mutable_refused() = gateway::ToProto(decision);
  answer.set_refused_by(by.text());
  asker_.deliver(std::move(answer));
}

void HolderLink::Explain(std::uint64_t sequence, const std::string& capture_ref,
                         const HolderClosed& why) const {
  if (why.decision) return Refuse(sequence, capture_ref, *why.decision, why.refused_by);
  v1::WatchAnswer answer = AnswerTo(sequence, capture_ref);
  answer.mutable_unanswered()->set_reason(why.reason);
  asker_.deliver(std::move(answer));
}

}  // namespace comity::gateway
