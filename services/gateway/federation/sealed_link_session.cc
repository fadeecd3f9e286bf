// SPDX-License-Identifier: Apache-2.0
// How a sealed link comes to its session and gives it up.
#include <algorithm>
#include <utility>

#include "services/gateway/federation/sealed_link.h"
#include "services/gateway/federation/session_wire.h"
#include "services/gateway/wire/convert_policy.h"
#include "services/gateway/wire/convert_time.h"
#include "services/matching/sealed_mode.h"
#include "services/transport/limits.h"

namespace comity::gateway {
namespace {

using std::chrono::steady_clock;

constexpr std::chrono::hours kLongestSession{24};
// A holder that refuses a state has, or soon has, another one: until then it is not asked again.
constexpr std::chrono::seconds kBelieveRefusal{1};

HolderClosed Fault() {
  return {{}, {}, v1::Unanswered::REASON_HOLDER_FAULT};
}

}  // namespace

SealedLists ListsFor(const SealedSource& source, const policy::SearchRequest& request,
                     policy::Instant now) {
  if (!request.agreement || !request.purpose || !request.engine) return {};
  return source.find(request.holder, *request.agreement, *request.purpose, *request.engine, now);
}

bool AsksAgain(policy::ReasonCode code) {
  return code == policy::ReasonCode::kListChanged || code == policy::ReasonCode::kStaleBlock;
}

SealedLink::Scene SealedLink::Look() {
  Scene scene;
  const auto now = ledger_.Now();
  policy::SearchRequest request;
  policy::Decision outlook;
  ledger_.WithSession([&](const Session& session) {
    request = session->Request(now);
    outlook = session->Outlook(now);
  });
  scene.permitted = outlook.permitted();
  scene.agreement = request.agreement;
  scene.cap = matching::SealedCap(outlook.hit_cap);
  if (!scene.permitted) return scene;
  scene.lists = ListsFor(source_, request, now);
  for (const auto& list : scene.lists) scene.states.push_back(list->state_digest());
  return scene;
}

bool SealedLink::IsRefused(const Scene& scene) {
  return refused_.With([&](const Refused& refused) {
    return refused.states == scene.states && steady_clock::now() < refused.until;
  });
}

// The holder searches the session's lists at these states no more.
void SealedLink::NoteRefused(const States& states) {
  refused_.With([&](Refused& refused) {
    refused.states = states;
    refused.until = steady_clock::now() + kBelieveRefusal;
  });
  source_.hurry(holder());
}

SealedLink::Standing SealedLink::EnsureOpen(const std::stop_token& stop) {
  if (call_ && !(call_->IsOpen() && call_->IsTrusted())) Drop("the holder ended the session");
  news_ = source_.news(holder());
  const Scene scene = Look();
  if (stop.stop_requested()) return Standing::kClosed;
  if (!scene.permitted) {
    // The last of the day's capacity may be what a face that is asked again has taken.
    return call_ ? Standing::kOpen : Standing::kClosed;
  }
  if (scene.lists.empty()) return Standing::kClosed;  // they went since they were looked at
  if (IsRefused(scene)) return Standing::kAwaitsLists;
  if (call_ && GoesOn(scene)) return Standing::kOpen;
  if (call_) {
    flights_.AwaitNone(steady_clock::now() + transport::limits::kProbeDeadline);
    Drop("other lists are to be searched");
  }
  if (!attempts_.is_due()) return Standing::kClosed;
  return Open(scene, stop);
}

// Whether the open session can search what is to be searched now.
bool SealedLink::GoesOn(const Scene& scene) {
  if (agreement_ != scene.agreement || steady_clock::now() >= opened_at_ + kLongestSession) {
    return false;
  }
  const Status updated = call_->WithExchange([&](SealedExchange& exchange) -> Status {
    if (!exchange.Covers(scene.lists)) return Fail(ErrorCode::kConflict, "other lists");
    return exchange.Update(scene.lists);
  });
  if (!updated) return false;
  states_ = scene.states;
  return true;
}

SealedLink::Standing SealedLink::Open(const Scene& scene, const std::stop_token& stop) {
  states_ = scene.states;
  headers_.With([&](std::vector<Digest>& headers) {
    headers.clear();
    for (const auto& list : scene.lists) headers.push_back(list->header_digest());
  });
  const auto closed = OpenCall(scene);
  if (!closed) {
    attempts_.NoteOpen();
    return Standing::kOpen;
  }
  const bool is_denied = closed->decision.has_value();
  Drop(is_denied ? "the holder refused the session" : "the holder is out of reach");
  if (is_denied && AsksAgain(closed->decision->code) && !stop.stop_requested()) {
    NoteRefused(states_);
    return Standing::kAwaitsLists;
  }
  attempts_.NoteFailure(*closed);
  return Standing::kClosed;
}

std::optional<HolderClosed> SealedLink::OpenCall(const Scene& scene) {
  const auto until = steady_clock::now() + ports_.peer_deadline;
  const std::string exchange = ledger_.exchange();
  const auto deadline = DeadlineAt(ledger_.order().ends_at + kSessionGrace, ledger_.Now());
  agreement_ = scene.agreement;
  opened_at_ = steady_clock::now();
  flights_.Begin(exchange);
  call_ = std::make_shared<SealedCall>(
      SealedCall::Ports{ports_.peers, ports_.verifier, ports_.logger},
      SealedCall::Terms{holder(), exchange, deadline},
      SealedCall::Events{
          [this, exchange](const v1::SealedAnswers& answers, const Digest& digest) {
            return OnAnswers(answers, digest, exchange);
          },
          [this](const Error& error) { source_.on_failed_check(holder(), error.detail); },
          [this, exchange](const HolderClosed&) { ReturnFlights(exchange); }});
  shared_call_.With([&](auto& shared) { shared = call_; });
  const auto certificate = call_->Begin(until);
  if (!certificate) return HolderClosed{};
  const auto now = ledger_.Now();
  std::array<std::uint8_t, 32> nonce{};
  ports_.random.Fill(nonce);
  v1::SignedMessage message;
  policy::Decision decision;
  ledger_.WithSession([&](Session& session) {
    const policy::SearchRequest request = session->Request(now);
    v1::SealedOpen open;
    *open.mutable_terms() = gateway::ToProto(request);
    open.set_deployment(ledger_.order().deployment.text());
    *open.mutable_ends_at() = gateway::ToProto(ledger_.order().ends_at);
    if (request.agreement) {
      *open.mutable_commitments() = ToProto(session->Commitments(request.agreement->id, now));
    }
    open.set_nonce(nonce.data(), nonce.size());
    for (const auto& list : scene.lists) SetRef(*list, *open.add_lists());
    open.set_holder_certificate(certificate->bytes.data(), Digest::kSize);
    message = ports_.signer.Sign(std::move(open), holder(), exchange);
    decision = session->Open(now, MessageDigest(message));
  });
  if (!decision.permitted()) return HolderClosed{decision, ledger_.own(), {}};
  if (decision.agreement != scene.agreement) return HolderClosed{};  // changed at this moment
  const auto opened = call_->Open(message, until);
  if (!opened) return call_->Why();
  return SetUp(scene, *certificate, nonce, *opened, until);
}

std::optional<HolderClosed> SealedLink::SetUp(const Scene& scene, const Digest& holder_certificate,
                                              const std::array<std::uint8_t, 32>& nonce,
                                              const v1::SealedOpened& opened, Time until) {
  Digest own;
  if (opened.requester_certificate().size() != Digest::kSize) return Fault();
  std::ranges::copy(AsBytes(opened.requester_certificate()), own.bytes.begin());
  Result<std::unique_ptr<SealedExchange>> exchange =
      Fail(ErrorCode::kUnauthenticated, "the holder sees a certificate that is not ours");
  if (source_.has_shown(own)) {
    exchange = SealedExchange::Create(
        {scene.lists, matching::TauOf(*ledger_.order().request.threshold), scene.cap, nonce, own,
         holder_certificate, source_.kernels, ports_.random},
        opened);
  }
  if (!exchange) {
    ports_.logger.Warn("holder-answer-refused", {{"peer", holder().text()},
                                                 {"code", Name(exchange.error().code)},
                                                 {"reason", exchange.error().detail}});
    return Fault();
  }
  const v1::SignedMessage set_up =
      ports_.signer.Sign((*exchange)->SetUp(), holder(), call_->exchange_id());
  return call_->SetUp(*std::move(exchange), set_up, until);
}

// What the reader has taken out to answer or to give back must be so before the session is made
// anew: else it counts as lost.
void SealedLink::Drop(std::string_view reason) {
  shared_call_.With([](auto& shared) { shared.reset(); });
  if (call_) call_->Close();
  call_.reset();
  ReturnFlights(ledger_.exchange());
  ledger_.StartAnew(reason);
}

}  // namespace comity::gateway
