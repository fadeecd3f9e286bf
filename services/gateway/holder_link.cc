// SPDX-License-Identifier: Apache-2.0
#include "services/gateway/holder_link.h"

#include <algorithm>
#include <utility>

#include "services/gateway/convert_hit.h"
#include "services/gateway/convert_policy.h"
#include "services/gateway/convert_time.h"
#include "services/gateway/operator_commitment.h"
#include "services/gateway/wipe_message.h"
#include "services/matching/exchange_id.h"
#include "services/transport/limits.h"

namespace comity::gateway {
namespace {

namespace limits = transport::limits;
using std::chrono::steady_clock;

constexpr std::chrono::milliseconds kFirstPause{250};
constexpr std::chrono::milliseconds kLongestPause{30'000};
constexpr std::chrono::seconds kGrace{60};  // a call outlives its deployment by no more than this

}  // namespace

// One stream to the holder. Whoever writes is the Watch handler's thread, whoever reads is
// `reader`.
struct HolderLink::Call {
  enum class State { kOpening, kOpen, kEnded };
  struct Progress {
    State state = State::kOpening;
    Closed why;
  };

  grpc::ClientContext context;
  std::unique_ptr<Stream> stream;
  std::string exchange;
  Digest open_digest;
  runtime::Watched<Progress> progress;
  std::jthread reader;

  bool IsOpen() const {
    return progress.With([](const Progress& now) { return now.state == State::kOpen; });
  }
  void End(Closed why) {
    progress.With([&](Progress& now) {
      if (now.state != State::kEnded) now = {State::kEnded, std::move(why)};
    });
  }
  ~Call() { context.TryCancel(); }  // then `reader` is joined
};

HolderLink::HolderLink(Ports ports, matching::RequesterTerms terms, Deliver deliver,
                       std::function<bool()> is_stopped)
    : ports_(ports),
      deliver_(std::move(deliver)),
      is_stopped_(std::move(is_stopped)),
      session_(std::make_unique<matching::RequesterSession>(std::move(terms), ports.search)),
      pause_(kFirstPause) {}

HolderLink::~HolderLink() {
  call_.reset();
}

void HolderLink::Probe(const EngineProbe& probe) {
  // Opening comes first, so that the log entry of the period holds the digest of the opening
  // message.
  const bool is_open = EnsureOpen();
  std::optional<policy::Decision> decision;  // absent: permitted, but cannot be sent
  policy::AgencyId self;
  const auto decide = [&](Session& session) {
    const auto now = ports_.search.clock.Now();
    self = session->terms().own_agency;
    // What cannot be sent takes no capacity; what is refused is decided, hence logged, all the
    // same.
    const bool unsent = !is_open && session->Outlook(now).permitted();
    if (unsent) return session->Unsent();
    decision = session->DecideProbe(now);
  };
  const bool has_room = session_.WaitUntil(
      {}, steady_clock::now() + matching::RequesterSession::kDeadline,
      [](const Session& session) {
        return session->pending() < matching::RequesterSession::kMaxPending;
      },
      decide);
  if (!has_room) {
    return Explain(probe.sequence, probe.capture_ref, {{}, {}, v1::Unanswered::REASON_DEADLINE});
  }
  if (!decision) return Explain(probe.sequence, probe.capture_ref, *last_);
  if (!decision->permitted()) return Refuse(probe.sequence, probe.capture_ref, *decision, self);
  // Between the look and the decision an agreement can come back into force: the next face is sent.
  if (!is_open) return Explain(probe.sequence, probe.capture_ref, *last_);
  Send(probe, *decision);
}

bool HolderLink::EnsureOpen() {
  const policy::AgencyId holder =
      session_.With([](const Session& session) { return session->terms().holder; });
  if (call_ && call_->IsOpen() && IsTrusted(*call_, holder)) return true;
  if (call_) {
    call_.reset();
    StartAnew("the holder ended the session");
  }
  if (!last_ || steady_clock::now() >= retry_at_) {
    last_ = OpenCall();
    if (!last_) {
      pause_ = kFirstPause;
      return true;
    }
    call_.reset();
    StartAnew(last_->decision ? "the holder refused the session" : "the holder is out of reach");
    retry_at_ = steady_clock::now() + pause_;
    pause_ = std::min(2 * pause_, kLongestPause);
  }
  return false;
}

bool HolderLink::IsTrusted(const Call& call, const policy::AgencyId& holder) const {
  const Status trusted = ports_.peers.Verify(call.context, holder);
  if (trusted) return true;
  ports_.logger.Warn("holder-certificate-refused", {{"peer", holder.text()},
                                                    {"code", Name(trusted.error().code)},
                                                    {"reason", trusted.error().detail}});
  return false;
}

bool HolderLink::Write(Call& call, const v1::SignedMessage& message,
                       std::chrono::seconds patience) {
  const auto until = steady_clock::now() + patience;
  writing_.With([&](Writing& writing) { writing = {&call.context, until}; });
  const bool written = call.stream->Write(message);
  writing_.With([](Writing& writing) { writing = {}; });
  return written;
}

std::optional<HolderLink::Closed> HolderLink::OpenCall() {
  const auto now = ports_.search.clock.Now();
  v1::SignedMessage message;
  policy::Decision decision;
  const auto terms = session_.With([&](Session& session) {
    const matching::RequesterTerms& live = session->terms();
    v1::SearchOpen open;
    *open.mutable_terms() = ToProto(session->Request(now));
    open.set_deployment(live.deployment_id.text());
    *open.mutable_ends_at() = ToProto(live.deployment->ends_at);
    const Digest commitment = CommitToOperator(live);
    open.set_operator_commitment(commitment.bytes.data(), commitment.bytes.size());
    message = ports_.signer.Sign(std::move(open), live.holder, live.exchange);
    decision = session->Open(now, MessageDigest(message));
    return live;
  });
  if (!decision.permitted()) return Closed{decision, terms.own_agency, {}};
  const auto link = ports_.peers.Find(terms.holder);
  if (!link) return Closed{};
  call_ = std::make_unique<Call>();
  call_->exchange = terms.exchange;
  call_->context.set_deadline(std::chrono::time_point_cast<std::chrono::system_clock::duration>(
      terms.deployment->ends_at + kGrace));
  call_->stream = (*link)->stub->Search(&call_->context);
  if (!Write(*call_, message, ports_.peer_deadline)) return Closed{};
  call_->reader = std::jthread([this, call = call_.get()] { ReadAnswers(*call); });
  std::optional<Closed> why;
  const bool answered = call_->progress.WaitUntil(
      {}, steady_clock::now() + ports_.peer_deadline,
      [](const Call::Progress& progress) { return progress.state != Call::State::kOpening; },
      [&](Call::Progress& progress) {
        if (progress.state == Call::State::kEnded) why = progress.why;
      });
  if (!answered) return Closed{{}, {}, v1::Unanswered::REASON_DEADLINE};
  // No face goes to a holder whose certificate was revoked since the handshake.
  if (!why && !IsTrusted(*call_, terms.holder)) return Closed{};
  return why;
}

// A session that was opened once, or refused by the holder, is over: its exchange id is used up.
void HolderLink::StartAnew(std::string_view reason) {
  AbandonAll({});
  session_.With([&](Session& session) {
    if (const Status closed = session->Close(reason); !closed) {
      ports_.logger.Error("audit-write-failed", {{"reason", closed.error().detail}});
    }
    matching::RequesterTerms terms = session->terms();
    terms.exchange = matching::NewExchangeId(ports_.random);
    session = std::make_unique<matching::RequesterSession>(std::move(terms), ports_.search);
  });
}

void HolderLink::Send(const EngineProbe& probe, const policy::Decision& permit) {
  v1::SearchProbe message;
  message.set_sequence(probe.sequence);
  *message.mutable_agreement() = ToProto(*permit.agreement);
  message.set_embedding(probe.embedding.data(), probe.embedding.size());
  const policy::AgencyId holder =
      session_.With([](const Session& session) { return session->terms().holder; });
  v1::SignedMessage envelope = ports_.signer.Sign(message, holder, call_->exchange);
  const WipeAtExit wipe_message(*message.mutable_embedding());
  const WipeAtExit wipe_envelope(*envelope.mutable_payload());
  const Status noted = session_.With([&](Session& session) {
    return session->Sent({probe.sequence, probe.capture_ref, probe.camera, probe.captured_at,
                          ports_.search.clock.Now(), permit, MessageDigest(envelope)});
  });
  if (!noted) {
    return Explain(probe.sequence, probe.capture_ref,
                   {{}, {}, v1::Unanswered::REASON_HOLDER_FAULT});
  }
  if (!Write(*call_, envelope, matching::RequesterSession::kDeadline)) AbandonAll({});
}

void HolderLink::ReadAnswers(Call& call) {
  Closed why;
  v1::SignedMessage message;
  while (call.stream->Read(&message)) {
    const Status handled = OnAnswer(message, call);
    if (handled) continue;
    ports_.logger.Warn("holder-answer-refused",
                       {{"code", Name(handled.error().code)}, {"reason", handled.error().detail}});
    why.reason = v1::Unanswered::REASON_HOLDER_FAULT;
    call.context.TryCancel();
    break;
  }
  call.End(why);
  AbandonAll(call.progress.With([](const Call::Progress& progress) { return progress.why; }));
}

Status HolderLink::OnAnswer(const v1::SignedMessage& message, Call& call) {
  const auto holder = session_.With([](const Session& session) { return session->terms().holder; });
  COMITY_ASSIGN_OR_RETURN(const PeerLinks::Link* link, ports_.peers.Find(holder));
  const auto check = [&](const v1::MessageHeader& header) -> Status {
    if (header.exchange_id() == call.exchange) return {};
    return Fail(ErrorCode::kCorrupt, "the answer is to another exchange");
  };
  if (MessageVerifier::Claims<v1::SearchOpened>(message)) {
    COMITY_ASSIGN_OR_RETURN(const auto opened,
                            ports_.verifier.Verify<v1::SearchOpened>(message, link->peer));
    COMITY_RETURN_IF_ERROR(check(opened.header()));
    const bool first = call.progress.With([](Call::Progress& now) {
      if (now.state != Call::State::kOpening) return false;
      now.state = Call::State::kOpen;
      return true;
    });
    return first ? Status() : Fail(ErrorCode::kInvalidArgument, "a session opens once");
  }
  if (MessageVerifier::Claims<v1::SearchRefused>(message)) {
    COMITY_ASSIGN_OR_RETURN(const auto refused,
                            ports_.verifier.Verify<v1::SearchRefused>(message, link->peer));
    COMITY_RETURN_IF_ERROR(check(refused.header()));
    policy::Decision decision = FromProto(refused.decision());
    if (decision.permitted()) {
      return Fail(ErrorCode::kInvalidArgument, "a refusal holds a permit");
    }
    call.End({std::move(decision), holder, {}});
    return {};
  }
  COMITY_ASSIGN_OR_RETURN(const auto answer,
                          ports_.verifier.Verify<v1::SearchAnswer>(message, link->peer));
  COMITY_RETURN_IF_ERROR(check(answer.header()));
  if (!call.IsOpen() || static_cast<std::size_t>(answer.hits_size()) > limits::kMaxHits) {
    return Fail(ErrorCode::kInvalidArgument, "an answer before the opening, or too many hits");
  }
  const policy::Decision decision = FromProto(answer.decision());
  const auto probe = session_.With([&](Session& session) {
    return session->OnAnswer(answer.sequence(), decision,
                             static_cast<std::uint64_t>(answer.hits_size()));
  });
  if (!probe)
    return {};  // expired meanwhile: the engine has been told, and a late hit is not replayed
  if (decision.permitted()) {
    OnHits(answer, decision, *probe, MessageDigest(message));
  } else {
    Refuse(probe->sequence, probe->capture_ref, decision, holder);
  }
  return {};
}

void HolderLink::OnHits(const v1::SearchAnswer& answer, const policy::Decision& decision,
                        const matching::PendingProbe& probe, const Digest& digest) {
  const auto terms = session_.With([](const Session& session) { return session->terms(); });
  // The permit that the probe was sent under bounds what may come back: the terms of this moment
  // may be others already.
  if (decision.agreement != probe.decision.agreement ||
      static_cast<std::uint32_t>(answer.hits_size()) > probe.decision.hit_cap) {
    return Explain(probe.sequence, probe.capture_ref,
                   {{}, {}, v1::Unanswered::REASON_HOLDER_FAULT});
  }
  std::vector<casework::HitReport> reports;
  for (const v1::Hit& wire : answer.hits()) {
    auto hit = FromProto(wire);
    const bool asked_for =
        hit && (!hit->category ||
                std::ranges::count(terms.deployment->list_categories, *hit->category) > 0);
    if (!asked_for) {
      return Explain(probe.sequence, probe.capture_ref,
                     {{}, {}, v1::Unanswered::REASON_HOLDER_FAULT});
    }
    casework::HitReport& report = reports.emplace_back();
    report.deployment = terms.deployment_id;
    report.holder = terms.holder;
    report.hit = Permitted(*std::move(hit), probe.decision.releases);
    report.threshold = terms.deployment->threshold;
    report.engine = terms.deployment->engine;
    report.agreement = *decision.agreement;
    report.clauses = decision.clauses;
    report.alert_retention = probe.decision.alert_retention;
    report.messages = {{"probe", probe.message}, {"answer", digest}};
    report.frame = {probe.capture_ref, probe.camera, probe.captured_at,
                    matching::ProbeExchangeId(terms.exchange, probe.sequence)};
  }
  if (is_stopped_()) return;
  const auto raised = ports_.alerts.RaiseAll(reports);
  if (!raised) {
    // The alert could not be made durable: the engine must not act on a hit that nobody can account
    // for.
    ports_.logger.Error("alert-not-stored", {{"reason", raised.error().detail}});
    return Refuse(probe.sequence, probe.capture_ref, {}, terms.own_agency);
  }
  v1::WatchAnswer out = AnswerTo(probe.sequence, probe.capture_ref);
  v1::Answered& answered = *out.mutable_answered();
  answered.set_mode(ToProto(*terms.deployment->mode));
  answered.set_entries(answer.entries());
  for (std::size_t i = 0; i < raised->size(); ++i) {
    v1::AlertRef& alert = *answered.add_alerts();
    alert.set_alert((*raised)[i].alert.id);
    alert.set_merged((*raised)[i].merged);
    *alert.mutable_hit() = ToProto(reports[i].hit);
  }
  deliver_(std::move(out));
}

void HolderLink::AbandonAll(const Closed& why) {
  for (const matching::PendingProbe& probe :
       session_.With([](Session& session) { return session->Abandon(); })) {
    Explain(probe.sequence, probe.capture_ref, why);
  }
}

Status HolderLink::Tick() {
  writing_.With([](const Writing& writing) {
    if (writing.context != nullptr && steady_clock::now() >= writing.until) {
      writing.context->TryCancel();
    }
  });
  std::vector<matching::PendingProbe> expired;
  const Status ticked = session_.With([&](Session& session) {
    const auto now = ports_.search.clock.Now();
    expired = session->Expire(now);
    return session->Tick(now);
  });
  for (const matching::PendingProbe& probe : expired) {
    Explain(probe.sequence, probe.capture_ref, {{}, {}, v1::Unanswered::REASON_DEADLINE});
  }
  return ticked;
}

void HolderLink::Finish(std::chrono::seconds patience) {
  if (call_ && call_->IsOpen()) {
    session_.WaitUntil(
        {}, steady_clock::now() + patience,
        [](const Session& session) { return session->pending() == 0; }, [](Session&) {});
    call_->stream->WritesDone();
  }
  call_.reset();
  AbandonAll({});
  const Status closed =
      session_.With([](Session& session) { return session->Close("the engine ended the stream"); });
  if (!closed) ports_.logger.Error("audit-write-failed", {{"reason", closed.error().detail}});
}

v1::WatchAnswer HolderLink::AnswerTo(std::uint64_t sequence, const std::string& capture_ref) const {
  v1::WatchAnswer answer;
  answer.set_sequence(sequence);
  answer.set_capture_ref(capture_ref);
  session_.With([&](const Session& session) {
    answer.set_holder(session->terms().holder.text());
    answer.set_exchange_id(matching::ProbeExchangeId(session->terms().exchange, sequence));
  });
  return answer;
}

void HolderLink::Refuse(std::uint64_t sequence, const std::string& capture_ref,
                        const policy::Decision& decision, const policy::AgencyId& by) const {
  v1::WatchAnswer answer = AnswerTo(sequence, capture_ref);
  *answer.mutable_refused() = ToProto(decision);
  answer.set_refused_by(by.text());
  deliver_(std::move(answer));
}

void HolderLink::Explain(std::uint64_t sequence, const std::string& capture_ref,
                         const Closed& why) const {
  if (why.decision) return Refuse(sequence, capture_ref, *why.decision, why.refused_by);
  v1::WatchAnswer answer = AnswerTo(sequence, capture_ref);
  answer.mutable_unanswered()->set_reason(why.reason);
  deliver_(std::move(answer));
}

}  // namespace comity::gateway
