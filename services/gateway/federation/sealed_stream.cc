// SPDX-License-Identifier: Apache-2.0
#include "services/gateway/federation/sealed_stream.h"

#include <algorithm>
#include <condition_variable>
#include <thread>
#include <utility>

#include "crypto/hash/blake2b.h"
#include "crypto/sealed/ring.h"
#include "services/audit/events.h"
#include "services/gateway/federation/reading_time.h"
#include "services/gateway/federation/sealed_probes.h"
#include "services/gateway/federation/session_wire.h"
#include "services/transport/limits.h"

namespace comity::gateway {
namespace {

namespace limits = transport::limits;
using matching::SealedHolderSession;

constexpr std::string_view kMethod = "Federation.SealedSearch";
// How often a session looks at the clock and at its peer's certificate.
constexpr std::chrono::milliseconds kTick{500};
constexpr std::size_t kMostAnswersInWaiting = 4;
constexpr const char* kTimeout = "timeout";
constexpr const char* kNoPartner = "no partner any more";

tl::unexpected<Error> Wrong(const char* what) {
  return Fail(ErrorCode::kInvalidArgument, std::string("sealed session: ") + what);
}

// Faults of this end or of the connection; all else is a message that should not have come.
bool IsOwn(ErrorCode code) {
  return code == ErrorCode::kUnavailable || code == ErrorCode::kExhausted ||
         code == ErrorCode::kInternal;
}

// For so many octets of tables: ten seconds, and what they take at 1 MiB a second.
std::chrono::milliseconds TimeFor(std::size_t octets) {
  return limits::kSealedRoundDeadline + std::chrono::milliseconds(octets >> 10);
}

}  // namespace

template <typename Payload>
Result<Payload> SealedStream::Verified(const v1::SignedMessage& message) const {
  COMITY_ASSIGN_OR_RETURN(const PinnedPeer peer, ports_.callers.Peer(context_, kMethod));
  COMITY_ASSIGN_OR_RETURN(Payload payload, ports_.verifier.Verify<Payload>(message, peer));
  if (payload.header().exchange_id() != exchange_id_) {
    return Fail(ErrorCode::kPermissionDenied, "the message belongs to another session");
  }
  return payload;
}

bool SealedStream::IsPartner() const {
  return ports_.callers.Peer(context_, kMethod).has_value();
}

bool SealedStream::Write(const v1::SealedMessage& message) {
  const std::lock_guard one_at_a_time(writing_);
  write_until_ = (Clock::now() + limits::kSealedRoundDeadline).time_since_epoch().count();
  const bool taken = stream_.Write(message);
  write_until_ = 0;
  return taken;
}

bool SealedStream::Write(const v1::SignedMessage& message) {
  v1::SealedMessage envelope;
  *envelope.mutable_signed_() = message;
  return Write(envelope);
}

void SealedStream::Await(std::chrono::milliseconds length) {
  const bool awaits = length > std::chrono::milliseconds(0);
  await_until_ = awaits ? (Clock::now() + length).time_since_epoch().count() : 0;
}

Status SealedStream::Refused(std::string_view kind, Error error) {
  COMITY_RETURN_IF_ERROR(ports_.refusals.Add(
      {audit::kPeerMessageRefused, ports_.peer.agency.text(), std::string(kind), error}));
  return Fail(std::move(error));
}

Status SealedStream::Ended(std::string_view kind, Error error) {
  if (!IsPartner()) {
    Cancel(kNoPartner);
    return {};
  }
  if (IsOwn(error.code)) return context_.IsCancelled() ? Status() : Fail(std::move(error));
  return Refused(kind, std::move(error));
}

std::string_view SealedStream::Closing() const {
  if (const char* const why = cancelled_) return why;
  return context_.IsCancelled() ? "connection lost" : "ended by the requester";
}

void SealedStream::Cancel(const char* why) {
  const char* none = nullptr;
  cancelled_.compare_exchange_strong(none, why);
  context_.TryCancel();
}

Status SealedStream::MakeExchange(const v1::SealedOpen& open,
                                  const SealedHolderSession::Ground& ground) {
  SealedHolderExchange::Setup setup{{}, {}, ports_.sealed.kernels, ports_.random};
  for (const matching::SealedListInForce& list : ground.lists) setup.lists.push_back(list.view);
  setup.terms.tau = ground.tau;
  setup.terms.cap = ground.cap;
  std::ranges::copy(AsBytes(open.nonce()), setup.terms.requester_nonce.begin());
  ports_.random.Fill(setup.terms.holder_nonce);
  setup.terms.holder_certificate = DigestOf(open.holder_certificate());
  COMITY_ASSIGN_OR_RETURN(setup.terms.requester_certificate,
                          ports_.callers.CertificateOf(context_));
  COMITY_ASSIGN_OR_RETURN(exchange_, SealedHolderExchange::Create(std::move(setup)));
  return {};
}

Result<SealedStream::Session> SealedStream::Open(const v1::SealedOpen& open,
                                                 const Digest& open_digest) {
  COMITY_ASSIGN_OR_RETURN(matching::SearchTerms terms,
                          TermsOf(open, {ports_.peer.agency, ports_.self, open_digest}));
  COMITY_ASSIGN_OR_RETURN(const auto refs, SealedRefsOf(open.lists()));
  if (open.nonce().size() != Digest::kSize) return Wrong("a nonce has 32 octets");
  if (open.holder_certificate().size() != Digest::kSize ||
      !ports_.sealed.has_shown(DigestOf(open.holder_certificate()))) {
    return Fail(ErrorCode::kPermissionDenied,
                "the requester sees a certificate that this gateway has not shown");
  }
  exchange_id_ = terms.exchange;
  v1::SignedMessage reply;
  Status made;
  const auto seal = [&](const matching::SessionOpening& opening,
                        const SealedHolderSession::Ground& ground) {
    if (!opening.decision.permitted()) {
      v1::SearchRefused refused;
      *refused.mutable_decision() = ToProto(opening.decision);
      reply = ports_.signer.Sign(refused, ports_.peer.agency, exchange_id_);
      return MessageDigest(reply);
    }
    v1::SealedOpened opened;
    opened.set_entries(opening.entries);
    opened.set_answer_after_ms(static_cast<std::uint32_t>(ports_.sealed.answer_after.count()));
    made = MakeExchange(open, ground);
    if (made) exchange_->FillOpened(opened);
    reply = ports_.signer.Sign(opened, ports_.peer.agency, exchange_id_);
    return MessageDigest(reply);
  };
  COMITY_ASSIGN_OR_RETURN(
      SealedHolderSession::Opened opened,
      SealedHolderSession::Open(std::move(terms), refs, ports_.search, ports_.sealed.lists, seal));
  if (!made) {
    COMITY_RETURN_IF_ERROR(opened.session->Close("fault"));
    return Fail(made.error());
  }
  if (!Write(reply)) exchange_.reset();
  return std::move(opened.session);
}

Status SealedStream::Run(const v1::SealedOpen& open, const Digest& open_digest) {
  Result<Session> opened = Open(open, open_digest);
  if (!opened) return Refused("SealedOpen", std::move(opened).error());
  if (!*opened) return {};
  runtime::Guarded<Session> session(*std::move(opened));
  const Status served = exchange_ ? Serve(session) : Status();
  const Status closed =
      session.With([&](Session& live) { return live->Close(served ? Closing() : "fault"); });
  return served ? closed : served;
}

Status SealedStream::SetUp(const v1::SealedMessage& message) {
  if (!message.has_signed_()) return Wrong("base OTs are signed");
  COMITY_ASSIGN_OR_RETURN(const auto set_up, Verified<v1::SealedSetUp>(message.signed_()));
  COMITY_RETURN_IF_ERROR(exchange_->OnSetUp(set_up, ToReader()));
  v1::SealedReady ready;
  exchange_->FillReady(ready);
  if (!Write(ports_.signer.Sign(ready, ports_.peer.agency, exchange_id_))) {
    return Fail(ErrorCode::kUnavailable, "the requester does not listen any more");
  }
  return SendPads();
}

// Parts are made one after the other: what this end takes over one is not its reader's time.
SealedHolderExchange::Send SealedStream::ToReader() {
  return [this,
          time = ReadingTime(limits::kSealedRoundDeadline)](const v1::SealedMessage& part) mutable {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(time.For(part.ByteSizeLong()));
    if (left <= std::chrono::milliseconds(0)) {
      Cancel(kTimeout);
      return false;
    }
    const Clock::time_point begun = Clock::now();
    Await(left);
    const bool taken = Write(part);
    Await({});
    time.Spend(Clock::now() - begun);
    return taken;
  };
}

Status SealedStream::SendPads() {
  return exchange_->SendPads(1, ToReader());
}

Status SealedStream::Serve(runtime::Guarded<Session>& session) {
  const std::jthread time([&](const std::stop_token& stop) { KeepTime(stop, session); });
  AnswersInWaiting answers;  // ends before the time is not kept any more
  answers_ = &answers;
  v1::SealedMessage message;
  Await(limits::kSealedRoundDeadline);
  if (!stream_.Read(&message)) return {};
  Await({});
  const Status set_up = SetUp(message);
  if (!set_up) return Ended("SealedSetUp", set_up.error());
  while (stream_.Read(&message)) {
    const Status status = OnMessage(message, session);
    if (status) continue;
    return Ended(message.has_part() ? "SealedPart" : "SealedProbes", status.error());
  }
  answers.Finish();
  return {};
}

Status SealedStream::OnMessage(v1::SealedMessage& message, runtime::Guarded<Session>& session) {
  if (message.has_part()) return OnPart(message.part(), session);
  if (message.has_signed_()) return OnProbes(message.signed_(), session);
  return Wrong("an empty message");
}

Status SealedStream::OnProbes(const v1::SignedMessage& message,
                              runtime::Guarded<Session>& session) {
  if (batch_) return Wrong("probes before the tables of those before");
  if (answers_->size() > kMostAnswersInWaiting) {
    return Wrong("too many batches wait for their answers");
  }
  // Whoever hears of this batch before the answers of the one before have left hears when those
  // were ready, and so what work they were.
  if (ports_.sealed.answer_after > std::chrono::milliseconds(0)) answers_->Finish();
  COMITY_ASSIGN_OR_RETURN(const auto probes, Verified<v1::SealedProbes>(message));
  COMITY_ASSIGN_OR_RETURN(auto asked,
                          SealedProbesOf(probes, exchange_->lists(), MessageDigest(message)));
  if (probes.batch() != exchange_->next_batch()) return Wrong("batches are counted from 0");
  v1::SignedMessage refusals;
  const auto seal = [&](std::span<const matching::ProbeAnswer> answers) {
    refusals = ports_.signer.Sign(AnswersToProto(probes.batch(), answers), ports_.peer.agency,
                                  exchange_id_);
    return MessageDigest(refusals);
  };
  COMITY_ASSIGN_OR_RETURN(auto batch, session.With([&](Session& live) {
    return live->Begin(std::move(asked.probes), asked.lists, seal);
  }));
  if (batch.accepted.size() < batch.probes.size() && !Write(refusals)) {
    return Fail(ErrorCode::kUnavailable, "the requester does not listen any more");
  }
  if (batch.accepted.empty()) {
    exchange_->Skip();
    return {};
  }
  return Compare(probes, batch);
}

Status SealedStream::Compare(const v1::SealedProbes& probes, SealedHolderSession::Batch& batch) {
  SealedHolderExchange::Views views;
  for (const matching::SealedListInForce& list : batch.lists) views.push_back(list.view);
  COMITY_RETURN_IF_ERROR(exchange_->Update(views));
  if (batch.accepted.size() > exchange_->MostProbes()) return Wrong("too many probes in a batch");
  // Whoever does not read pads and offsets ends the session.
  COMITY_RETURN_IF_ERROR(exchange_->Begin(probes, batch.accepted, ToReader()));
  Await(TimeFor(exchange_->TablesLeft()));
  batch_ = std::move(batch);
  batch_number_ = probes.batch();
  outcomes_.clear();
  pads_due_ = true;
  return {};
}

Status SealedStream::OnPart(const v1::SealedPart& part, runtime::Guarded<Session>& session) {
  if (!batch_) return Wrong("tables that nobody asked for");
  const Clock::time_point asked = Clock::now();
  // Now the requester has taken the pads of this batch. Later, what hit would tell by the time at
  // which they leave.
  if (std::exchange(pads_due_, false)) {
    Await({});
    pads_ = SendPads();
    Await(TimeFor(exchange_->TablesLeft()));
  }
  COMITY_ASSIGN_OR_RETURN(auto outcome, exchange_->OnTables(part));
  if (!outcome) return {};
  outcomes_.push_back(*std::move(outcome));
  if (exchange_->is_comparing()) return {};
  Await({});
  COMITY_RETURN_IF_ERROR(Conclude(session, asked));
  // What has been compared is answered, even if nothing more can be.
  if (!pads_) answers_->Finish();
  return pads_;
}

Status SealedStream::Conclude(runtime::Guarded<Session>& session, Clock::time_point asked) {
  auto batch = std::make_shared<SealedHolderSession::Batch>(*std::move(batch_));
  batch_.reset();
  auto reply = std::make_shared<v1::SignedMessage>();
  const auto seal = [&](std::span<const matching::ProbeAnswer> answers) {
    *reply = ports_.signer.Sign(AnswersToProto(batch_number_, answers), ports_.peer.agency,
                                exchange_id_);
    return MessageDigest(*reply);
  };
  COMITY_RETURN_IF_ERROR(
      session.With([&](Session& live) { return live->Conclude(*batch, outcomes_, seal); }));
  outcomes_.clear();
  // Whoever takes away what the answer tells waits for the ticket, or is seen here.
  const SealedHolderSession& live = *session.With([](Session& held) { return held.get(); });
  const auto leave = [this, &live, batch, reply] {
    std::optional<policy::ReasonCode> why;
    {
      const matching::AnswerBarrier::Ticket ticket = ports_.search.barrier.Enter();
      why = IsPartner() ? live.WhyStays(*batch) : policy::ReasonCode::kPartnerSuspended;
    }
    if (!why && Write(*reply)) return true;
    if (!why) {
      context_.TryCancel();
      return false;
    }
    if (const Status logged = live.Withhold(*batch, *why); !logged) {
      ports_.logger.Error("audit-write-failed", {{"reason", logged.error().detail}});
    }
    Cancel("stopped");
    return false;
  };
  answers_->Add(LeavesAt(asked, ports_.sealed.answer_after, Clock::now()), leave);
  return {};
}

void SealedStream::KeepTime(const std::stop_token& stop, runtime::Guarded<Session>& session) {
  std::mutex mutex;
  std::condition_variable_any wake;
  std::unique_lock lock(mutex);
  const SealedHolderSession& shared = *session.With([](Session& live) { return live.get(); });
  const policy::Instant ends_at = shared.terms().ends_at;
  bool has_lists = true;
  const auto is_over = [](const std::atomic<Clock::rep>& until) {
    const Clock::rep at = until;
    return at != 0 && Clock::now().time_since_epoch().count() > at;
  };
  while (!wake.wait_for(lock, stop, kTick, [] { return false; }) && !stop.stop_requested()) {
    const Status ticked = session.With([](Session& live) { return live->Tick(); });
    if (!ticked) {
      ports_.logger.Error("audit-write-failed", {{"reason", ticked.error().detail}});
      Cancel("fault");
    }
    // A certificate that was revoked meanwhile ends the stream, and so does a peer that holds up
    // its memory.
    if (!IsPartner()) Cancel(kNoPartner);
    if (is_over(await_until_) || is_over(write_until_)) Cancel(kTimeout);
    // So do lists that are over: their secrets are in memory as long as the stream is. The second
    // look leaves time for the answer that says so.
    const bool had_lists = std::exchange(has_lists, shared.HasLists());
    if (!had_lists && !has_lists) Cancel("list over");
    if (ports_.search.clock.Now() - kSessionGrace >= ends_at) Cancel("search over");
  }
}

}  // namespace comity::gateway
