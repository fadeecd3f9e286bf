// SPDX-License-Identifier: Apache-2.0
#include "services/gateway/federation/holder_call.h"

#include <utility>

#include "services/gateway/wire/convert_policy.h"
#include "services/transport/limits.h"

namespace comity::gateway {

using std::chrono::steady_clock;

HolderCall::HolderCall(Ports ports, Terms terms, Events events)
    : ports_(ports), terms_(std::move(terms)), events_(std::move(events)) {
  context_.set_deadline(terms_.deadline);
}

HolderCall::~HolderCall() {
  context_.TryCancel();  // then the reader is joined
}

std::optional<HolderClosed> HolderCall::Open(const v1::SignedMessage& opening,
                                             std::chrono::seconds patience) {
  const auto until = steady_clock::now() + patience;
  const auto link = ports_.peers.Find(terms_.holder);
  if (!link) return HolderClosed{};
  // From here on: beginning the call waits for the connection.
  write_until_.With([&](auto& late_at) { late_at = until; });
  stream_ = (*link)->stub->Search(&context_);
  if (!Write(opening, patience)) return HolderClosed{};
  reader_ = std::jthread([this] { ReadAll(); });
  std::optional<HolderClosed> why;
  const bool answered = progress_.WaitUntil(
      {}, until, [](const Progress& now) { return now.state != State::kOpening; },
      [&](Progress& now) {
        if (now.state == State::kEnded) why = now.why;
      });
  if (!answered) return HolderClosed{{}, {}, v1::Unanswered::REASON_DEADLINE};
  // No face goes to a holder whose certificate was revoked since the handshake.
  if (!why && !IsTrusted()) return HolderClosed{};
  return why;
}

bool HolderCall::Write(const v1::SignedMessage& message, std::chrono::seconds patience) {
  write_until_.With([&](auto& until) { until = steady_clock::now() + patience; });
  const bool written = stream_->Write(message);
  write_until_.With([](auto& until) { until.reset(); });
  return written;
}

bool HolderCall::IsOpen() const {
  return progress_.With([](const Progress& now) { return now.state == State::kOpen; });
}

bool HolderCall::IsTrusted() const {
  const Status trusted = ports_.peers.Verify(context_, terms_.holder);
  if (trusted) return true;
  ports_.logger.Warn("holder-certificate-refused", {{"peer", terms_.holder.text()},
                                                    {"code", Name(trusted.error().code)},
                                                    {"reason", trusted.error().detail}});
  return false;
}

void HolderCall::CancelLateWrite() {
  const bool late =
      write_until_.With([](const auto& until) { return until && steady_clock::now() >= *until; });
  if (late) context_.TryCancel();
}

void HolderCall::End(HolderClosed why) {
  progress_.With([&](Progress& now) {
    if (now.state != State::kEnded) now = {State::kEnded, std::move(why)};
  });
}

void HolderCall::ReadAll() {
  HolderClosed why;
  v1::SignedMessage message;
  while (stream_->Read(&message)) {
    const Status handled = OnMessage(message);
    if (handled) continue;
    ports_.logger.Warn("holder-answer-refused", {{"peer", terms_.holder.text()},
                                                 {"code", Name(handled.error().code)},
                                                 {"reason", handled.error().detail}});
    why.reason = v1::Unanswered::REASON_HOLDER_FAULT;
    context_.TryCancel();
    break;
  }
  End(why);
  events_.on_end(progress_.With([](const Progress& now) { return now.why; }));
}

Status HolderCall::CheckExchange(const v1::MessageHeader& header) const {
  if (header.exchange_id() == terms_.exchange) return {};
  return Fail(ErrorCode::kCorrupt, "the answer is to another exchange");
}

Status HolderCall::OnMessage(const v1::SignedMessage& message) {
  COMITY_ASSIGN_OR_RETURN(const auto link, ports_.peers.Find(terms_.holder));
  if (MessageVerifier::Claims<v1::SearchOpened>(message)) {
    COMITY_ASSIGN_OR_RETURN(const auto opened,
                            ports_.verifier.Verify<v1::SearchOpened>(message, link->peer));
    COMITY_RETURN_IF_ERROR(CheckExchange(opened.header()));
    const bool first = progress_.With([](Progress& now) {
      if (now.state != State::kOpening) return false;
      now.state = State::kOpen;
      return true;
    });
    return first ? Status() : Fail(ErrorCode::kInvalidArgument, "a session opens once");
  }
  if (MessageVerifier::Claims<v1::SearchRefused>(message)) {
    COMITY_ASSIGN_OR_RETURN(const auto refused,
                            ports_.verifier.Verify<v1::SearchRefused>(message, link->peer));
    COMITY_RETURN_IF_ERROR(CheckExchange(refused.header()));
    policy::Decision decision = FromProto(refused.decision());
    if (decision.permitted()) {
      return Fail(ErrorCode::kInvalidArgument, "a refusal holds a permit");
    }
    End({std::move(decision), terms_.holder, {}});
    return {};
  }
  COMITY_ASSIGN_OR_RETURN(const auto answer,
                          ports_.verifier.Verify<v1::SearchAnswer>(message, link->peer));
  COMITY_RETURN_IF_ERROR(CheckExchange(answer.header()));
  if (!IsOpen() || static_cast<std::size_t>(answer.hits_size()) > transport::limits::kMaxHits) {
    return Fail(ErrorCode::kInvalidArgument, "an answer before the opening, or too many hits");
  }
  return events_.on_answer(answer, MessageDigest(message));
}

}  // namespace comity::gateway
