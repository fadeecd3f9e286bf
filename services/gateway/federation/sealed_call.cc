// SPDX-License-Identifier: Apache-2.0
#include "services/gateway/federation/sealed_call.h"

#include <algorithm>
#include <utility>

#include "services/gateway/wire/convert_policy.h"
#include "services/transport/limits.h"

namespace comity::gateway {
namespace {

using std::chrono::steady_clock;
namespace limits = transport::limits;

tl::unexpected<Error> Wrong(const char* what) {
  return Fail(ErrorCode::kInvalidArgument, std::string("sealed session: ") + what);
}

}  // namespace

SealedCall::SealedCall(Ports ports, Terms terms, Events events)
    : ports_(ports),
      terms_(std::move(terms)),
      events_(std::move(events)),
      call_(ports.peers, ports.logger, terms_.holder, terms_.deadline) {}

SealedCall::~SealedCall() {
  Close();
}

void SealedCall::Close() {
  call_.Cancel();
  if (reader_.joinable()) reader_.join();
}

Result<Digest> SealedCall::Begin(Time until) {
  COMITY_ASSIGN_OR_RETURN(const auto link, call_.Find());
  call_.Hurry(until);  // beginning the call waits for the connection
  stream_ = link->stub->SealedSearch(&call_.context());
  call_.LetBe();
  return ports_.peers.CertificateOf(call_.context(), terms_.holder);
}

bool SealedCall::Write(const v1::SealedMessage& message) {
  return call_.Write(*stream_, message, limits::kProbeDeadline);
}

bool SealedCall::Write(const v1::SignedMessage& message) {
  v1::SealedMessage envelope;
  *envelope.mutable_signed_() = message;
  return Write(envelope);
}

std::optional<v1::SealedOpened> SealedCall::Open(const v1::SignedMessage& opening, Time until) {
  if (!Write(opening)) return std::nullopt;
  reader_ = std::jthread([this] { ReadAll(); });
  std::optional<v1::SealedOpened> opened;
  const bool answered = heard_.WaitUntil(
      {}, until, [](const Heard& heard) { return heard.opened || heard.ended; },
      [&](Heard& heard) { opened = heard.opened; });
  if (!answered) call_.End({{}, {}, v1::Unanswered::REASON_DEADLINE});
  return opened;
}

std::optional<HolderClosed> SealedCall::SetUp(std::unique_ptr<SealedExchange> exchange,
                                              const v1::SignedMessage& set_up, Time until) {
  cap_ = exchange->cap();
  exchange_.With([&](auto& own) { own = std::move(exchange); });
  if (!Write(set_up)) return HolderClosed{};
  auto why = call_.AwaitOpen(until);
  // No probe goes to a holder whose certificate was revoked since the handshake.
  if (!why && !IsTrusted()) return HolderClosed{};
  return why;
}

bool SealedCall::Send(const SealedExchange::Batch& batch, const v1::SignedMessage& message,
                      Time until) {
  std::vector<OffsetsIntake::List> lists;
  WithExchange([&](SealedExchange& exchange) {
    for (std::size_t i = 0; i < exchange.lists(); ++i) {
      lists.push_back({batch.bindings[i], exchange.OffsetSize(i)});
    }
  });
  const auto probes = static_cast<std::size_t>(batch.message.probes_size());
  heard_.With([&](Heard& heard) {
    heard.offsets = OffsetsIntake(batch.message.batch(), probes, std::move(lists));
    heard.first_number = batch.message.probes(0).sequence();
  });
  return steady_clock::now() < until && Write(message);
}

std::optional<OffsetsIntake::Whole> SealedCall::NextOffsets(Time until, bool& is_over) {
  std::optional<OffsetsIntake::Whole> whole;
  const bool heard_of = heard_.WaitUntil(
      {}, until,
      [](const Heard& heard) {
        return heard.ended || heard.offsets.has_whole() || heard.offsets.is_over();
      },
      [&](Heard& heard) {
        if (heard.ended) return;
        whole = heard.offsets.Take();
        is_over = !whole && heard.offsets.is_over();
      });
  if (!heard_of) call_.Cancel();
  return whole;
}

bool SealedCall::Answer(Time until, const OnAccepted& on_accepted) {
  WithExchange([](SealedExchange& exchange) { exchange.Prepare(); });
  bool is_over = false;
  bool is_accepted = false;
  while (const auto offsets = NextOffsets(until, is_over)) {
    if (!is_accepted && !Accept(on_accepted)) return false;
    is_accepted = true;
    if (!SendTables(*offsets)) return false;
  }
  return is_over;
}

bool SealedCall::Accept(const OnAccepted& on_accepted) {
  const auto accepted = heard_.With([](const Heard& heard) { return heard.offsets.accepted(); });
  const Status taken =
      WithExchange([&](SealedExchange& exchange) { return exchange.Accept(accepted); });
  if (!taken) return EndAsFault(taken.error());
  if (on_accepted(accepted)) return true;
  call_.Cancel();
  return false;
}

bool SealedCall::EndAsFault(const Error& error) {
  ports_.logger.Warn(
      "holder-answer-refused",
      {{"peer", terms_.holder.text()}, {"code", Name(error.code)}, {"reason", error.detail}});
  call_.Cancel();
  return false;
}

bool SealedCall::SendTables(const OffsetsIntake::Whole& offsets) {
  std::size_t lists = 0;
  const auto tables = WithExchange([&](SealedExchange& exchange) {
    lists = exchange.lists();
    return exchange.OnOffsets(offsets.probe, offsets.list, offsets.octets);
  });
  if (!tables) return EndAsFault(tables.error());
  const auto send = [this](const v1::SealedMessage& part) { return Write(part); };
  for (const SealedExchange::Tables& one : *tables) {
    // Noted before it leaves: the holder may answer before a write returns.
    if (one.whole.list + 1 == lists) {
      heard_.With([&](Heard& heard) { heard.offsets.NoteSketch(offsets.probe); });
    }
    if (!SendParts(one.whole, one.octets, send)) return false;
  }
  return true;
}

void SealedCall::ReadAll() {
  HolderClosed why;
  v1::SealedMessage message;
  while (stream_->Read(&message)) {
    const Status handled = OnMessage(message);
    if (handled) continue;
    why.reason = v1::Unanswered::REASON_HOLDER_FAULT;
    EndAsFault(handled.error());
    break;
  }
  call_.End(why);
  heard_.With([](Heard& heard) { heard.ended = true; });
  events_.on_end(call_.why());
}

template <typename Payload>
Result<Payload> SealedCall::Verify(const v1::SignedMessage& message) const {
  COMITY_ASSIGN_OR_RETURN(const auto link, ports_.peers.Find(terms_.holder));
  COMITY_ASSIGN_OR_RETURN(Payload payload, ports_.verifier.Verify<Payload>(message, link->peer));
  if (payload.header().exchange_id() != terms_.exchange) {
    return Fail(ErrorCode::kCorrupt, "the answer is to another exchange");
  }
  return payload;
}

Status SealedCall::OnMessage(const v1::SealedMessage& message) {
  switch (message.content_case()) {
    case v1::SealedMessage::kSigned:
      return OnSigned(message.signed_());
    case v1::SealedMessage::kPart:
      return OnPart(message.part());
    case v1::SealedMessage::CONTENT_NOT_SET:
      break;
  }
  return Wrong("a message without content");
}

Status SealedCall::OnSigned(const v1::SignedMessage& message) {
  if (MessageVerifier::Claims<v1::SealedOpened>(message)) {
    COMITY_ASSIGN_OR_RETURN(auto opened, Verify<v1::SealedOpened>(message));
    const bool is_first = heard_.With([&](Heard& heard) {
      if (heard.opened) return false;
      heard.opened = std::move(opened);
      return true;
    });
    return is_first ? Status() : Wrong("it opens once");
  }
  if (MessageVerifier::Claims<v1::SealedReady>(message)) {
    COMITY_ASSIGN_OR_RETURN(const auto ready, Verify<v1::SealedReady>(message));
    COMITY_RETURN_IF_ERROR(exchange_.With([&](auto& exchange) -> Status {
      return exchange ? exchange->OnReady(ready) : Wrong("ready before the set-up");
    }));
    return call_.NoteOpen() ? Status() : Wrong("ready when it is over");
  }
  if (MessageVerifier::Claims<v1::SearchRefused>(message)) {
    COMITY_ASSIGN_OR_RETURN(const auto refused, Verify<v1::SearchRefused>(message));
    policy::Decision decision = FromProto(refused.decision());
    if (decision.permitted()) return Wrong("a refusal holds a permit");
    call_.End({std::move(decision), terms_.holder, {}});
    heard_.With([](Heard& heard) { heard.ended = true; });
    return {};
  }
  COMITY_ASSIGN_OR_RETURN(const auto answers, Verify<v1::SealedAnswers>(message));
  if (!IsOpen()) return Wrong("an answer before it is open");
  return OnAnswers(answers, MessageDigest(message));
}

Status SealedCall::OnPart(const v1::SealedPart& part) {
  if (part.kind() == v1::SealedPart::KIND_OFFSETS) {
    return heard_.With([&](Heard& heard) { return heard.offsets.Add(part); });
  }
  const Status taken = exchange_.With([&](auto& exchange) -> Status {
    return exchange ? exchange->OnPart(part) : Wrong("a part before the set-up");
  });
  if (!taken && taken.error().code == ErrorCode::kCorrupt) events_.on_failed_check(taken.error());
  return taken;
}

Status SealedCall::CheckHits(const v1::SealedAnswers& answers) const {
  for (const v1::SealedAnswer& answer : answers.answers()) {
    if (static_cast<std::size_t>(answer.hits_size()) > cap_) return Wrong("more hits than the cap");
    // Nobody can have computed one.
    if (std::ranges::any_of(answer.hits(), &v1::Hit::has_similarity)) {
      return Wrong("a hit with a similarity");
    }
  }
  return {};
}

// Who is refused before the offsets is known to the intake before they come. Batches before the one
// that waits for offsets have all their tables.
Status SealedCall::OnAnswers(const v1::SealedAnswers& answers, const Digest& digest) {
  if (static_cast<std::size_t>(answers.answers_size()) > sealed::kMaxProbesInBatch) {
    return Wrong("too many answers");
  }
  COMITY_RETURN_IF_ERROR(CheckHits(answers));
  const Status noted = heard_.With([&](Heard& heard) -> Status {
    if (answers.batch() < heard.offsets.batch()) return {};
    if (answers.batch() > heard.offsets.batch()) return Wrong("an answer to a batch not sent yet");
    for (const v1::SealedAnswer& answer : answers.answers()) {
      if (answer.sequence() < heard.first_number)
        return Wrong("an answer to no probe of its batch");
      COMITY_RETURN_IF_ERROR(
          heard.offsets.Answer(answer.sequence() - heard.first_number,
                               answer.decision().code() != v1::DECISION_CODE_PERMIT));
    }
    return {};
  });
  COMITY_RETURN_IF_ERROR(noted);
  return events_.on_answers(answers, digest);
}

}  // namespace comity::gateway
