// SPDX-License-Identifier: Apache-2.0
#include "services/gateway/federation/holder_call.h"

#include <utility>

#include "services/gateway/wire/convert_policy.h"
#include "services/transport/limits.h"

namespace comity::gateway {

using std::chrono::steady_clock;

HolderCall::HolderCall(Ports ports, Terms terms, Events events)
    : ports_(ports),
      terms_(std::move(terms)),
      events_(std::move(events)),
      call_(ports.peers, ports.logger, terms_.holder, terms_.deadline) {}

HolderCall::~HolderCall() {
  call_.Cancel();  // then the reader is joined
}

std::optional<HolderClosed> HolderCall::Open(const v1::SignedMessage& opening,
                                             std::chrono::seconds patience) {
  const auto until = steady_clock::now() + patience;
  const auto link = call_.Find();
  if (!link) return HolderClosed{};
  call_.Hurry(until);  // beginning the call waits for the connection
  stream_ = (*link)->stub->Search(&call_.context());
  if (!Write(opening, patience)) return HolderClosed{};
  reader_ = std::jthread([this] { ReadAll(); });
  auto why = call_.AwaitOpen(until);
  // No face goes to a holder whose certificate was revoked since the handshake.
  if (!why && !IsTrusted()) return HolderClosed{};
  return why;
}

bool HolderCall::Write(const v1::SignedMessage& message, std::chrono::seconds patience) {
  return call_.Write(*stream_, message, patience);
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
    call_.Cancel();
    break;
  }
  call_.End(why);
  events_.on_end(call_.why());
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
    const bool first = call_.NoteOpen();
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
    call_.End({std::move(decision), terms_.holder, {}});
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
