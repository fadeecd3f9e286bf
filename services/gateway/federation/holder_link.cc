// SPDX-License-Identifier: Apache-2.0
#include "services/gateway/federation/holder_link.h"

#include <utility>

#include "services/gateway/federation/session_wire.h"
#include "services/gateway/wire/convert_policy.h"
#include "services/gateway/wire/convert_time.h"
#include "services/gateway/wire/wipe_message.h"
#include "services/transport/limits.h"

namespace comity::gateway {
namespace {

namespace limits = transport::limits;
using std::chrono::steady_clock;

constexpr std::chrono::milliseconds kCancelAgain{50};

}  // namespace

HolderLink::HolderLink(LinkPorts ports, matching::RequesterTerms terms, LinkAsker asker)
    : ports_(ports),
      ledger_({ports.search, ports.search, ports.alerts, ports.random, ports.logger},
              std::move(terms), std::move(asker), LinkLedger::Numbers::kEngine),
      sender_([this](const std::stop_token& stop) { Run(stop); }) {}

HolderLink::~HolderLink() {
  StopSender();
}

void HolderLink::Run(const std::stop_token& stop) {
  while (const auto probe = ledger_.window().Next(stop)) Handle(*probe, stop);
  sender_done_.With([](bool& done) { done = true; });
}

void HolderLink::Handle(const matching::WindowProbe& probe, const std::stop_token& stop) {
  // Opening comes first, so that the log entry of the period holds the digest of the opening
  // message.
  const bool is_open = EnsureOpen(stop);
  const LinkLedger::Decided decided = ledger_.Decide(probe, is_open);
  if (is_open && decided.permitted()) return Send(probe, decided);
  ledger_.AnswerUnsent(probe, decided, attempts_.last());
}

bool HolderLink::EnsureOpen(const std::stop_token& stop) {
  if (call_ && call_->IsOpen() && call_->IsTrusted()) return true;
  if (call_) {
    DropCall();
    ledger_.StartAnew("the holder ended the session");
  }
  // What is refused here is not tried there, and does not make the next attempt later: a stop that
  // is lifted lets the next face through.
  if (stop.stop_requested() || !ledger_.IsPermitted() || !attempts_.is_due()) return false;
  const auto closed = OpenCall(stop);
  if (!closed) {
    attempts_.NoteOpen();
    return true;
  }
  DropCall();
  ledger_.StartAnew(closed->decision ? "the holder refused the session"
                                     : "the holder is out of reach");
  attempts_.NoteFailure(*closed);
  return false;
}

std::optional<HolderClosed> HolderLink::OpenCall(const std::stop_token& stop) {
  const auto now = ledger_.Now();
  const std::string exchange = ledger_.exchange();
  v1::SignedMessage message;
  policy::Decision decision;
  ledger_.WithSession([&](Session& session) {
    const policy::SearchRequest request = session->Request(now);
    v1::SearchOpen open;
    *open.mutable_terms() = gateway::ToProto(request);
    open.set_deployment(ledger_.order().deployment.text());
    *open.mutable_ends_at() = gateway::ToProto(ledger_.order().ends_at);
    if (request.agreement) {
      *open.mutable_commitments() = ToProto(session->Commitments(request.agreement->id, now));
    }
    message = ports_.signer.Sign(std::move(open), holder(), exchange);
    decision = session->Open(now, MessageDigest(message));
  });
  if (!decision.permitted()) return HolderClosed{decision, ledger_.own(), {}};
  const auto deadline = DeadlineAt(ledger_.order().ends_at + kSessionGrace, now);
  call_ = std::make_shared<HolderCall>(
      HolderCall::Ports{ports_.peers, ports_.verifier, ports_.logger},
      HolderCall::Terms{holder(), exchange, deadline},
      HolderCall::Events{
          [this, exchange](const v1::SearchAnswer& answer, const Digest& digest) {
            return OnAnswer(answer, digest, exchange);
          },
          [this, exchange](const HolderClosed& why) { ledger_.AbandonSent(exchange, why); }});
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

void HolderLink::Send(const matching::WindowProbe& probe, const LinkLedger::Decided& permit) {
  v1::SearchProbe message;
  message.set_sequence(probe.sequence);
  *message.mutable_agreement() = gateway::ToProto(*permit.decision->agreement);
  *message.mutable_commitments() = ToProto(permit.commitments);
  const ByteView embedding = probe.embedding.Expose();
  message.set_embedding(embedding.data(), embedding.size());
  v1::SignedMessage envelope = ports_.signer.Sign(message, holder(), call_->exchange());
  const WipeAtExit wipe_message(*message.mutable_embedding());
  const WipeAtExit wipe_envelope(*envelope.mutable_payload());
  Status noted;
  const bool held = ledger_.WithSession([&](Session& session) {
    if (!ledger_.window().Holds(probe.sequence)) {  // too late: who asked has been told
      session->Lost();
      return false;
    }
    noted = session->Sent({probe.sequence, probe.sequence, probe.capture_ref, probe.camera,
                           probe.captured_at, *permit.decision, MessageDigest(envelope)});
    if (!noted) session->Lost();
    return true;
  });
  if (!held) return;
  if (!noted) return ledger_.SettleAs(probe, {{}, {}, v1::Unanswered::REASON_HOLDER_FAULT});
  if (!call_->Write(envelope, limits::kProbeDeadline)) {
    ledger_.AbandonSent(call_->exchange(), {});
  }
}

Status HolderLink::OnAnswer(const v1::SearchAnswer& message, const Digest& digest,
                            const std::string& exchange) {
  const std::uint64_t sequence = message.sequence();
  const policy::Decision decision = FromProto(message.decision());
  const auto hits = static_cast<std::uint64_t>(message.hits_size());
  const auto probe = ledger_.WithSession([&](Session& session) -> Result<matching::PendingProbe> {
    if (session->terms().exchange != exchange) {
      return Fail(ErrorCode::kNotFound, "an answer of a session that is over");
    }
    // Expired meanwhile: who asked has been told, and a late hit is not replayed.
    if (session->Waits(sequence) && !ledger_.window().Settle(sequence)) session->Forget(sequence);
    return session->OnAnswer(sequence, decision, hits);
  });
  if (!probe) return {};
  ledger_.OnAnswer(
      {message.hits(), message.header().sent_at(), message.entries(), decision, digest, exchange},
      *probe);
  return {};
}

Status HolderLink::Tick(Time now) {
  // The call may end here, with the last hand on it: outside the lock.
  if (const auto call = shared_call_.With([](const auto& shared) { return shared; })) {
    call->CancelLateWrite();
    // A holder that was suspended, removed or whose certificate was revoked: no face need come for
    // its call to end.
    if (call->IsOpen() && !call->IsTrusted()) call->Cancel();
  }
  return ledger_.Tick(now);
}

void HolderLink::Cancel() {
  ledger_.window().Close();
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
  ledger_.Finish(reason);
}

}  // namespace comity::gateway
