// SPDX-License-Identifier: Apache-2.0
#include "services/gateway/federation/sealed_link.h"

#include <algorithm>
#include <map>
#include <string>
#include <utility>

#include "crypto/hash/blake2b.h"
#include "services/gateway/wire/convert_policy.h"
#include "services/gateway/wire/convert_time.h"
#include "services/matching/sealed_mode.h"
#include "services/matching/search_events.h"
#include "services/matching/template_check.h"
#include "services/transport/limits.h"

namespace comity::gateway {
namespace {

namespace limits = transport::limits;
using std::chrono::steady_clock;

constexpr std::chrono::milliseconds kCancelAgain{50};
constexpr std::chrono::seconds kLook{1};
constexpr std::size_t kMostBatches = 4;  // that wait for answers
constexpr std::chrono::milliseconds kAwaitLists{250};

std::size_t SlotsOf(const SealedLists& lists) {
  std::size_t slots = 0;
  for (const auto& list : lists) slots += list->slot_count();
  return slots;
}

// In: message  of this gateway
std::map<std::string, Digest> BlindedMessagesOf(const v1::SealedProbes& message, int index) {
  std::vector<Digest> blinded;
  for (const std::string& octets : message.probes(index).blinded()) {
    blinded.push_back(hash::Blake2b256({AsBytes(octets)}));
  }
  std::vector<Digest> headers;
  for (const v1::SealedListRef& ref : message.lists()) {
    std::ranges::copy(AsBytes(ref.list()), headers.emplace_back().bytes.begin());
  }
  return matching::BlindedMessages(blinded, headers);
}

// Together they must fit one session.
bool FitTogether(const SealedLists& lists) {
  std::size_t blocks = 0;
  for (const auto& list : lists) blocks += matching::BlocksOf(list->state());
  return lists.size() <= SealedExchange::kMaxLists && blocks <= sealed::kMaxBlocks &&
         SlotsOf(lists) <= matching::kMaxSlotsABatch;
}

// As `search`, and denies a search for which there is no copy.
matching::RequesterPorts WithCopies(const matching::RequesterPorts& search,
                                    const SealedSource& source) {
  matching::RequesterPorts ports = search;
  ports.halted = [halted = search.halted, &source, &clock = search.clock](
                     const policy::SearchRequest& request,
                     const policy::DeploymentId& deployment) -> std::optional<policy::ReasonCode> {
    if (halted) {
      if (const auto reason = halted(request, deployment)) return reason;
    }
    const SealedLists lists = ListsFor(source, request, clock.Now());
    if (!FitTogether(lists)) return policy::ReasonCode::kListNotCovered;
    if (SlotsOf(lists) > 0) return std::nullopt;
    source.hurry(request.holder);
    return policy::ReasonCode::kListNotReceived;
  };
  return ports;
}

matching::RequesterTerms Sealed(matching::RequesterTerms terms) {
  terms.mode = policy::SearchMode::kSealed;
  return terms;
}

// Tracks of the engine and faces without one must not meet.
std::string TrackOf(const matching::WindowProbe& probe) {
  return probe.track.empty() ? "#" + std::to_string(probe.sequence) : "t" + probe.track;
}

}  // namespace

SealedLink::SealedLink(LinkPorts ports, const SealedSource& source, matching::RequesterTerms terms,
                       LinkAsker asker)
    : ports_(ports),
      source_(source),
      search_(WithCopies(ports.search, source)),
      ledger_({search_, ports.search, ports.alerts, ports.random, ports.logger},
              Sealed(std::move(terms)), std::move(asker), LinkLedger::Numbers::kSession),
      quantiser_(sealed::Quantiser::Create(ledger_.order().request.engine->dimension)),
      tracks_(TrackBook(ports.random)),
      sender_([this](const std::stop_token& stop) { Run(stop); }) {}

SealedLink::~SealedLink() {
  StopSender();
}

void SealedLink::Run(const std::stop_token& stop) {
  while (auto probe = ledger_.window().Next(stop)) Handle(*std::move(probe), stop);
  sender_done_.With([](bool& done) { done = true; });
}

void SealedLink::Handle(matching::WindowProbe first, const std::stop_token& stop) {
  switch (EnsureOpen(stop)) {
    case Standing::kOpen:
      break;
    case Standing::kClosed: {
      const LinkLedger::Decided decided = ledger_.Decide(first, false);
      return ledger_.AnswerUnsent(first, decided, attempts_.last());
    }
    case Standing::kAwaitsLists:
      ledger_.window().GiveBack(std::move(first));
      return source_.await(holder(), news_, steady_clock::now() + kAwaitLists, stop);
  }
  if (!AwaitRoom()) {
    ledger_.window().GiveBack(std::move(first));
    return Drop("the holder does not answer");
  }
  const std::size_t most =
      call_->WithExchange([](const SealedExchange& exchange) { return exchange.MostProbes(); });
  std::vector<matching::WindowProbe> hand;
  hand.push_back(std::move(first));
  while (hand.size() < most) {
    auto next = ledger_.window().TryNext();
    if (!next) break;
    hand.push_back(*std::move(next));
  }
  SendBatch(std::move(hand));
}

std::optional<sealed::SecretArray<std::int8_t>> SealedLink::Quantise(
    const matching::WindowProbe& probe) {
  if (!quantiser_) return std::nullopt;
  const auto values =
      matching::ParseTemplate(probe.embedding.Expose(), ledger_.order().request.engine->dimension);
  if (!values) return std::nullopt;
  auto quantised = quantiser_->Quantise(values->Expose());
  if (!quantised) return std::nullopt;
  return *std::move(quantised);
}

bool SealedLink::MakeReady(matching::WindowProbe probe, std::vector<Ready>& ready,
                           std::vector<sealed::SecretArray<std::int8_t>>& templates) {
  auto quantised = Quantise(probe);
  if (!quantised) {
    v1::WatchAnswer unfit;
    unfit.mutable_unanswered()->set_reason(v1::Unanswered::REASON_TEMPLATE_UNFIT);
    ledger_.AnswerUnasked(probe, std::move(unfit));
    return false;
  }
  std::string track = TrackOf(probe);
  if (!tracks_.With([&](TrackBook& book) { return book.Take(track); })) {
    ledger_.AnswerUnasked(probe, tracks_.With([&](TrackBook& book) { return book.Spent(track); }));
    return false;
  }
  LinkLedger::Decided decided = ledger_.Decide(probe, true);
  const bool is_here = decided.permitted() && decided.decision->agreement == agreement_;
  if (is_here) {
    ready.push_back({std::move(probe), std::move(decided), std::move(track)});
    templates.push_back(*std::move(quantised));
    return true;
  }
  tracks_.With([&](TrackBook& book) { book.GiveBack(track); });
  if (decided.permitted()) {
    // Another agreement governs since the session was opened: it is sent in the next one.
    ledger_.PutBack(std::move(probe), *decided.decision);
  } else {
    ledger_.AnswerUnsent(probe, decided, {});
  }
  return false;
}

void SealedLink::SendBatch(std::vector<matching::WindowProbe> hand) {
  std::vector<Ready> ready;
  std::vector<sealed::SecretArray<std::int8_t>> templates;
  for (matching::WindowProbe& probe : hand) MakeReady(std::move(probe), ready, templates);
  if (!ready.empty()) Seal(std::move(ready), templates);
}

void SealedLink::Seal(std::vector<Ready> ready,
                      std::span<const sealed::SecretArray<std::int8_t>> templates) {
  const auto until = steady_clock::now() + limits::kProbeDeadline;
  auto batch =
      call_->WithExchange([&](SealedExchange& exchange) { return exchange.Begin(templates); });
  if (!batch) {
    ports_.logger.Error("sealed-search-failed", {{"peer", holder().text()},
                                                 {"code", Name(batch.error().code)},
                                                 {"reason", batch.error().detail}});
    ledger_.WithSession([&](Session& session) {
      for (std::size_t i = 0; i < ready.size(); ++i) session->Lost();
    });
    for (const Ready& one : ready)
      ledger_.SettleAs(one.probe, {{}, {}, v1::Unanswered::REASON_HOLDER_FAULT});
    return Drop("the session cannot go on");
  }
  for (std::size_t i = 0; i < ready.size(); ++i) {
    v1::SealedProbe& probe = *batch->message.mutable_probes(static_cast<int>(i));
    *probe.mutable_agreement() = gateway::ToProto(*ready[i].permit.decision->agreement);
    *probe.mutable_commitments() = ToProto(ready[i].permit.commitments);
    const auto pseudonym = tracks_.With(
        [&](TrackBook& book) { return book.PseudonymOf(ready[i].track, call_->exchange_id()); });
    probe.set_track(pseudonym.data(), pseudonym.size());
  }
  const v1::SignedMessage message =
      ports_.signer.Sign(batch->message, holder(), call_->exchange_id());
  Note(ready, *batch, MessageDigest(message));
  const std::uint64_t first = batch->message.probes(0).sequence();
  const auto on_accepted = [&](std::span<const std::size_t> probes) {
    return flights_.Spend(first, probes);
  };
  if (!call_->Send(*batch, message, until) || !call_->Answer(until, on_accepted)) {
    Drop("the holder ended the session");
  }
}

// From here on each probe is answered by whoever takes its flight.
void SealedLink::Note(std::vector<Ready>& ready, SealedExchange::Batch& batch,
                      const Digest& message) {
  for (std::size_t i = 0; i < ready.size(); ++i) {
    matching::WindowProbe& probe = ready[i].probe;
    const std::uint64_t number = batch.message.probes(static_cast<int>(i)).sequence();
    ledger_.WithSession([&](Session& session) {
      // One that has expired meanwhile goes with its batch; nobody waits for it.
      const bool is_noted = ledger_.window().Holds(probe.sequence) &&
                            session->Sent({probe.sequence, number, probe.capture_ref, probe.camera,
                                           probe.captured_at, *ready[i].permit.decision, message});
      if (!is_noted) session->Lost();
    });
    flights_.Add(number,
                 {std::move(probe), batch.message.batch(), std::move(ready[i].track),
                  std::make_shared<const casework::HitOpening>(std::move(batch.openings[i])),
                  BlindedMessagesOf(batch.message, static_cast<int>(i)), states_});
  }
}

bool SealedLink::AwaitRoom() {
  return flights_.AwaitFewer(kMostBatches, steady_clock::now() + limits::kProbeDeadline);
}

void SealedLink::ReturnFlights(const std::string& exchange) {
  for (SealedFlight& flight : flights_.Return(exchange)) {
    if (!flight.is_spent) {
      tracks_.With([&](TrackBook& book) { book.GiveBack(flight.track); });
    }
    ledger_.GiveBack(std::move(flight.probe));
  }
}

Status SealedLink::OnAnswers(const v1::SealedAnswers& message, const Digest& digest,
                             const std::string& exchange) {
  for (const v1::SealedAnswer& answer : message.answers()) {
    auto flight = flights_.Take(exchange, message.batch(), answer.sequence());
    if (!flight) return Fail(ErrorCode::kInvalidArgument, "an answer to no probe that waits");
    OnAnswer(answer, *std::move(flight), message, digest);
  }
  return {};
}

void SealedLink::OnAnswer(const v1::SealedAnswer& answer, SealedFlight flight,
                          const v1::SealedAnswers& message, const Digest& digest) {
  const policy::Decision decision = FromProto(answer.decision());
  if (!decision.permitted() && !flight.is_spent) {
    tracks_.With([&](TrackBook& book) { book.GiveBack(flight.track); });
  }
  if (AsksAgain(decision.code)) {
    NoteRefused(flight.states);
    return ledger_.GiveBack(std::move(flight.probe));
  }
  const std::uint64_t sequence = flight.probe.sequence;
  const auto hits = static_cast<std::uint64_t>(answer.hits_size());
  const auto probe = ledger_.WithSession([&](Session& session) -> Result<matching::PendingProbe> {
    // Expired meanwhile: who asked has been told, and a late hit is not replayed.
    if (session->Waits(sequence) && !ledger_.window().Settle(sequence)) session->Forget(sequence);
    return session->OnAnswer(sequence, decision, hits);
  });
  if (!probe) return;
  const auto told = ledger_.OnAnswer(
      {answer.hits(), message.header().sent_at(), answer.entries(), decision, digest,
       message.header().exchange_id(), flight.opening, std::move(flight.messages)},
      *probe);
  if (told) tracks_.With([&](TrackBook& book) { book.NoteAnswer(flight.track, *told); });
}

Status SealedLink::Tick(Time now) {
  if (const auto call = shared_call_.With([](const auto& shared) { return shared; })) {
    call->CancelLateWrite();
    if (call->IsOpen() && !call->IsTrusted()) call->Cancel();
    if (call->IsOpen() && now >= look_at_) {
      look_at_ = now + kLook;
      EndIfOver(*call);
    }
  }
  const Status ticked = ledger_.Tick(now);
  // Nobody waits for those that have expired: what is secret of them goes now.
  flights_.Forget([this](const matching::WindowProbe& probe) {
    return ledger_.window().Holds(probe.sequence);
  });
  return ticked;
}

// A session over lists that may not be searched any more, or are others by now, ends though no face
// comes: then their copies can be erased.
void SealedLink::EndIfOver(SealedCall& call) {
  const Scene scene = Look();
  const bool is_same = scene.permitted && headers_.With([&](const std::vector<Digest>& headers) {
    return std::ranges::equal(scene.lists, headers, {},
                              [](const auto& list) { return list->header_digest(); });
  });
  if (!is_same && flights_.is_empty()) call.Cancel();
}

void SealedLink::Cancel() {
  ledger_.window().Close();
  sender_.request_stop();
  if (const auto call = shared_call_.With([](const auto& shared) { return shared; })) {
    call->Cancel();
  }
}

void SealedLink::StopSender() {
  if (!sender_.joinable()) return;
  // A call that is just beginning can miss a cancellation: it is told until it has heard.
  do {
    Cancel();
  } while (!sender_done_.WaitUntil(
      {}, steady_clock::now() + kCancelAgain, [](bool done) { return done; }, [](bool&) {}));
  sender_.join();
}

void SealedLink::Finish(std::string_view reason) {
  StopSender();
  shared_call_.With([](auto& shared) { shared.reset(); });
  if (call_) call_->Close();
  call_.reset();
  ReturnFlights(ledger_.exchange());
  ledger_.Finish(reason);
}

}  // namespace comity::gateway
