// SPDX-License-Identifier: Apache-2.0
#include "services/gateway/federation/holder_stream.h"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <utility>

#include "services/audit/events.h"
#include "services/gateway/federation/session_wire.h"
#include "services/gateway/wire/convert_policy.h"
#include "services/gateway/wire/convert_time.h"
#include "services/gateway/wire/wipe_message.h"
#include "services/transport/limits.h"

namespace comity::gateway {
namespace {

namespace limits = transport::limits;
using matching::HolderSession;

// How often a session looks at the clock and at its peer's certificate.
constexpr std::chrono::milliseconds kTick{500};

v1::SearchAnswer AnswerToProto(const matching::ProbeAnswer& answer) {
  v1::SearchAnswer proto;
  proto.set_sequence(answer.sequence);
  *proto.mutable_decision() = ToProto(answer.decision);
  proto.set_entries(answer.entries);
  for (const matching::ReleasedHit& hit : answer.hits) *proto.add_hits() = HitToProto(hit);
  return proto;
}

}  // namespace

Status HolderStream::Run(const v1::SearchOpen& open, const Digest& open_digest) {
  Result<matching::SearchTerms> terms =
      TermsOf(open, {ports_.peer.agency, ports_.self, open_digest});
  if (!terms) return Refused("SearchOpen", std::move(terms).error());
  exchange_ = terms->exchange;
  v1::SignedMessage reply;
  const auto seal = [&](const matching::SessionOpening& opening) {
    if (opening.decision.permitted()) {
      v1::SearchOpened opened;
      opened.set_entries(opening.entries);
      reply = ports_.signer.Sign(opened, ports_.peer.agency, exchange_);
    } else {
      v1::SearchRefused refused;
      *refused.mutable_decision() = ToProto(opening.decision);
      reply = ports_.signer.Sign(refused, ports_.peer.agency, exchange_);
    }
    return MessageDigest(reply);
  };
  Result<HolderSession::Opened> opened =
      HolderSession::Open(*std::move(terms), ports_.search, seal);
  if (!opened) return Refused("SearchOpen", std::move(opened).error());
  if (!stream_.Write(reply) || !opened->session) return {};
  runtime::Guarded<Session> session(std::move(opened->session));
  const Status served = Serve(session);
  const char* reason = was_unread_ ? "timeout" : "ended by the requester";
  const Status closed =
      session.With([&](Session& live) { return live->Close(served ? reason : "fault"); });
  return served ? closed : served;
}

Status HolderStream::Serve(runtime::Guarded<Session>& session) {
  const std::jthread time([&](const std::stop_token& stop) { KeepTime(stop, session); });
  v1::SignedMessage message;
  while (stream_.Read(&message)) {
    const WipeAtExit wipe(*message.mutable_payload());
    bool is_partner = false;
    Result<v1::SignedMessage> reply =
        session.With([&](Session& live) { return OnMessage(message, is_partner, *live); });
    if (!is_partner) {
      context_.TryCancel();
      return {};
    }
    if (!reply) return Refused("SearchProbe", std::move(reply).error());
    // Outside the lock: a requester that does not read must not hold up the clock's thread, which
    // cancels the stream. One that went away shows at the next read.
    Write(*reply);
  }
  return {};
}

void HolderStream::Write(const v1::SignedMessage& reply) {
  using std::chrono::steady_clock;
  writing_since_ = steady_clock::now().time_since_epoch().count();
  stream_.Write(reply);
  writing_since_ = 0;
}

bool HolderStream::IsUnread() const {
  using std::chrono::steady_clock;
  const steady_clock::rep since = writing_since_;
  return since != 0 && steady_clock::now().time_since_epoch() - steady_clock::duration(since) >
                           limits::kAnswerReadingTime;
}

Status HolderStream::Refused(std::string_view kind, Error error) {
  COMITY_RETURN_IF_ERROR(ports_.refusals.Add(
      {audit::kPeerMessageRefused, ports_.peer.agency.text(), std::string(kind), error}));
  return Fail(std::move(error));
}

Result<v1::SignedMessage> HolderStream::OnMessage(v1::SignedMessage& message, bool& is_partner,
                                                  HolderSession& session) {
  // The clock's thread looks twice a second; no probe is answered in between either. Whoever takes
  // the partner or its key away waits for this ticket, and every later one is taken after that.
  const matching::AnswerBarrier::Ticket ticket = ports_.search.barrier.Enter();
  COMITY_ASSIGN_OR_RETURN(const PinnedPeer peer,
                          ports_.callers.Peer(context_, "Federation.Search"));
  is_partner = true;
  if (message.payload().size() > limits::kMaxProbePayload) {
    return Fail(ErrorCode::kInvalidArgument, "a probe is at most 16 KiB");
  }
  COMITY_ASSIGN_OR_RETURN(v1::SearchProbe probe,
                          ports_.verifier.Verify<v1::SearchProbe>(message, peer));
  const WipeAtExit wipe(*probe.mutable_embedding());
  if (probe.header().exchange_id() != exchange_) {
    return Fail(ErrorCode::kPermissionDenied, "the probe belongs to another session");
  }
  return Answer(probe, MessageDigest(message), session);
}

Result<v1::SignedMessage> HolderStream::Answer(const v1::SearchProbe& probe, const Digest& digest,
                                               HolderSession& session) {
  matching::SessionProbe input;
  COMITY_ASSIGN_OR_RETURN(input.commitments, CommitmentsOf(probe.commitments()));
  input.sequence = probe.sequence();
  if (auto agreement = FromProto(probe.agreement()); agreement) input.agreement = *agreement;
  input.embedding = AsBytes(probe.embedding());
  input.message = digest;
  v1::SignedMessage reply;
  COMITY_ASSIGN_OR_RETURN(const matching::ProbeAnswer answer,
                          session.OnProbe(input, [&](const matching::ProbeAnswer& sealed) {
                            reply = ports_.signer.Sign(AnswerToProto(sealed), ports_.peer.agency,
                                                       exchange_);
                            return MessageDigest(reply);
                          }));
  return reply;
}

void HolderStream::KeepTime(const std::stop_token& stop, runtime::Guarded<Session>& session) {
  std::mutex mutex;
  std::condition_variable_any wake;
  std::unique_lock lock(mutex);
  const policy::Instant ends_at = session.With([](Session& live) { return live->terms().ends_at; });
  while (!wake.wait_for(lock, stop, kTick, [] { return false; }) && !stop.stop_requested()) {
    const Status ticked = session.With([](Session& live) { return live->Tick(); });
    if (!ticked) {
      ports_.logger.Error("audit-write-failed", {{"reason", ticked.error().detail}});
      context_.TryCancel();
    }
    // A certificate that was revoked meanwhile ends the stream.
    if (!ports_.callers.Peer(context_, "Federation.Search")) context_.TryCancel();
    if (ports_.search.clock.Now() - kSessionGrace >= ends_at) context_.TryCancel();
    if (IsUnread()) {
      was_unread_ = true;
      context_.TryCancel();
    }
  }
}

}  // namespace comity::gateway
