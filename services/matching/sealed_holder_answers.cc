// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <string>
#include <utility>

#include "services/audit/events.h"
#include "services/matching/sealed_ground.h"
#include "services/matching/sealed_holder_session.h"
#include "services/matching/sealed_mode.h"
#include "services/matching/search_events.h"

// How probes that were compared are answered, and what keeps an answer back.
namespace comity::matching {
namespace {

using policy::ReasonCode;

// The row of an entry that may be a hit at `now`.
std::optional<std::size_t> RowOf(const Gallery& gallery, const std::string& reference,
                                 const RowFilter& filter, policy::Instant now) {
  const auto row = gallery.Find(reference);
  if (!row) return std::nullopt;
  const GalleryRow& entry = gallery.row(*row);
  const bool valid = entry.valid_from <= now && now < entry.expires_at;
  return valid && filter.Takes(entry) ? row : std::nullopt;
}

std::vector<Digest> HeadersOf(std::span<const SealedListInForce> lists) {
  std::vector<Digest> headers;
  for (const SealedListInForce& list : lists) headers.push_back(list.header());
  return headers;
}

}  // namespace

// What was hit counts against the budget of its block, also if nothing of it is released: how long
// the answer took may have told of it.
void SealedHolderSession::TakeHits(const Batch& batch, const SealedOutcome& outcome,
                                   policy::Instant now, Answering& answering) const {
  const policy::Decision& decision = answering.judged.decision;
  const RowFilter filter = decider_.FilterOf(decision);
  for (std::size_t i = 0; i < batch.lists.size(); ++i) {
    const SealedListInForce& list = batch.lists[i];
    const GallerySnapshot* const snapshot = SnapshotOf(answering.galleries, list.list);
    answering.answer.entries += list.view->slots().size();
    for (const SealedHit& hit : outcome.hits) {
      if (hit.list != i) continue;
      answering.charges[i].slots.push_back(hit.slot);
      const std::string* const reference = list.reference_of(hit.slot);
      if (reference == nullptr || snapshot == nullptr) continue;
      const auto row = RowOf(*snapshot->gallery, *reference, filter, now);
      if (!row) continue;
      answering.hits.push_back({snapshot, *row, std::nullopt});
      answering.answer.hits.push_back(
          Release(snapshot->gallery->row(*row), std::nullopt, decision.releases));
    }
  }
}

bool SealedHolderSession::AreInForce(const Batch& batch, policy::Instant now) const {
  return std::ranges::all_of(batch.lists, [&](const SealedListInForce& list) {
    return sealed_.Find(list.header(), terms().request.requester, now).has_value();
  });
}

SealedHolderSession::Answering SealedHolderSession::Weigh(const Batch& batch, std::size_t index,
                                                          const SealedOutcome& outcome,
                                                          policy::Instant now) const {
  Answering answering;
  answering.probe = &batch.probes[index];
  answering.judged = batch.judged[index];
  answering.answer.sequence = answering.probe->claims.sequence;
  policy::Decision& decision = answering.judged.decision;
  // What was permitted when it came may have been stopped since.
  const policy::SearchRequest request = decider_.RequestOf(answering.probe->claims);
  policy::Verdict verdict = decider_.Consider(request, now);
  if (!verdict.capacity) {
    decision = std::move(verdict.decision);
  } else if (!AreInForce(batch, now)) {
    decision = DenialUnder(ReasonCode::kListChanged, std::move(decision));
  } else {
    answering.galleries = decider_.ListsFor(decision, now);
    if (!AllHaveGalleries(batch.lists, answering.galleries)) {
      decision = DenialUnder(ReasonCode::kListNotCovered, std::move(decision));
    }
  }
  answering.answer.decision = decision;
  if (!decision.permitted()) return answering;
  for (const SealedListInForce& list : batch.lists) {
    answering.charges.push_back({list.header(), list.view->state().sequence, {}, false});
  }
  if (!outcome.over_cap) TakeHits(batch, outcome, now, answering);
  if (outcome.over_cap || answering.hits.size() > SealedCap(decision.hit_cap)) {
    answering.permit = decision;
    for (SealedCharge& charge : answering.charges) {
      charge.slots.clear();
      charge.over_cap = true;
    }
    Deny(answering, ReasonCode::kOverCap);
  }
  return answering;
}

void SealedHolderSession::Deny(Answering& answering, ReasonCode code) {
  policy::Decision& decision = answering.judged.decision;
  decision = DenialUnder(code, std::move(decision));
  answering.hits.clear();
  answering.answer.hits.clear();
  answering.answer.entries = 0;
  answering.answer.decision = decision;
}

Status SealedHolderSession::Charge(store::Transaction& transaction, Answering& answering) const {
  for (const SealedCharge& charge : answering.charges) {
    const Result<sealed::Release> release = sealed_.Charge(transaction, charge);
    if (!release && release.error().code != ErrorCode::kNotFound) return Fail(release.error());
    if (!release) {
      Deny(answering, ReasonCode::kListChanged);
    } else if (*release == sealed::Release::kStaleBlock) {
      Deny(answering, ReasonCode::kStaleBlock);
      answering.stale.push_back(charge.header);
    }
  }
  return {};
}

void SealedHolderSession::CountTracks(std::vector<Answering>& all) {
  for (Answering& answering : all) {
    answering.is_counted = answering.judged.decision.permitted() &&
                           tracks_.IsCounted(answering.probe->track, EntriesOf(answering.hits));
  }
}

Result<bool> SealedHolderSession::Observe(store::Transaction& transaction,
                                          audit::Recorder& recorder,
                                          std::span<const Answering> all) const {
  HitObserver* const observer = decider_.ports().observer;
  bool stops = false;
  for (const Answering& answering : all) {
    const ProbeClaims& claims = answering.probe->claims;
    bool raised = false;
    if (answering.permit && observer != nullptr) {
      COMITY_ASSIGN_OR_RETURN(
          raised,
          observer->OnOverCap(transaction, recorder, decider_.Observed(claims, *answering.permit)));
    } else if (!answering.hits.empty() && !answering.is_counted) {
      COMITY_ASSIGN_OR_RETURN(
          raised, decider_.ObserveHits(transaction, recorder,
                                       decider_.Observed(claims, answering.judged.decision),
                                       answering.hits));
    }
    stops = stops || raised;
  }
  return stops;
}

audit::Event SealedHolderSession::Refusal(const Batch& batch, const SealedProbe& probe,
                                          const JudgedProbe& judged, policy::Instant now) const {
  audit::Event event = decider_.RefusedEvent(probe.claims, judged, now);
  event.messages["answer"] = batch.answer;
  event.committed["sealed"] = EncodeSealedLists(RefsOf(batch.lists));
  // Nobody keeps an opening of it.
  event.committed["blinded"] = EncodeDigests(probe.blinded);
  return event;
}

Status SealedHolderSession::Record(store::Transaction& transaction, audit::Recorder& recorder,
                                   const Batch& batch, const Answering& answering,
                                   policy::Instant now) const {
  const ProbeClaims& claims = answering.probe->claims;
  const policy::Decision& decision = answering.judged.decision;
  if (!decision.permitted()) {
    audit::Event event = Refusal(batch, *answering.probe, answering.judged, now);
    if (!answering.withheld.empty()) event.committed["withheld"] = answering.withheld;
    COMITY_RETURN_IF_ERROR(recorder.Record(event));
    return {};
  }
  if (answering.hits.empty()) return {};
  audit::Event event = decider_.HitEvent(claims, answering.judged, answering.hits, now);
  event.messages["answer"] = batch.answer;
  event.committed["sealed"] = EncodeSealedLists(RefsOf(batch.lists));
  event.messages.merge(BlindedMessages(answering.probe->blinded, HeadersOf(batch.lists)));
  event.counts["entries"] = static_cast<std::int64_t>(answering.answer.entries);
  return decider_.RecordHits(transaction, recorder, event, decider_.Observed(claims, decision),
                             answering.hits);
}

// Whether nothing of the batch is to be counted or logged. Every probe that is still permitted must
// find its lists fresh, whether or not it hit: if only hits met a list without release left, that
// denial would itself be a hit that no budget has counted.
Result<bool> SealedHolderSession::IsUneventful(const Batch& batch,
                                               std::span<const Answering> all) const {
  const bool eventful = std::ranges::any_of(all, [](const Answering& answering) {
    return !answering.judged.decision.permitted() ||
           std::ranges::any_of(answering.charges, &SealedCharge::Counts);
  });
  if (eventful) return false;
  for (const SealedListInForce& list : batch.lists) {
    const Result<sealed::Release> release =
        sealed_.Look(list.header(), list.view->state().sequence);
    if (!release && release.error().code != ErrorCode::kNotFound) return Fail(release.error());
    if (!release || *release != sealed::Release::kRelease) return false;
  }
  return true;
}

Status SealedHolderSession::Conclude(Batch& batch, std::span<const SealedOutcome> outcomes,
                                     const SealAnswers& seal) {
  const HolderPorts& ports = decider_.ports();
  const AnswerBarrier::Ticket ticket = ports.barrier.Enter();
  const policy::Instant now = ports.clock.Now();
  std::vector<Answering> all;
  for (std::size_t i = 0; i < batch.accepted.size(); ++i) {
    all.push_back(Weigh(batch, batch.accepted[i], outcomes[i], now));
  }
  COMITY_ASSIGN_OR_RETURN(const bool uneventful, IsUneventful(batch, all));
  if (uneventful) {
    CountTracks(all);
    batch.answer = Seal(all, seal);
  } else {
    COMITY_RETURN_IF_ERROR(ports.journal.Commit(
        [&](store::Transaction& transaction, audit::Recorder& recorder) -> Status {
          return Settle(transaction, recorder, batch, all, seal, now);
        }));
    if (ports.observer != nullptr) ports.observer->AfterHits();
  }
  for (const Answering& answering : all) Note(batch, answering);
  return {};
}

Digest SealedHolderSession::Seal(std::span<const Answering> all, const SealAnswers& seal) {
  std::vector<ProbeAnswer> answers;
  for (const Answering& answering : all) answers.push_back(answering.answer);
  return seal(answers);
}

Status SealedHolderSession::Settle(store::Transaction& transaction, audit::Recorder& recorder,
                                   Batch& batch, std::vector<Answering>& all,
                                   const SealAnswers& seal, policy::Instant now) {
  for (Answering& answering : all) COMITY_RETURN_IF_ERROR(Charge(transaction, answering));
  CountTracks(all);
  COMITY_ASSIGN_OR_RETURN(const bool stops, Observe(transaction, recorder, all));
  if (stops) {
    // Two people lift an alarm; then all is counted anew.
    tracks_ = TrackCounts();
    for (Answering& answering : all) {
      if (!answering.judged.decision.permitted()) continue;
      // What was hit stays charged: the refusal tells that something was.
      if (!answering.hits.empty()) answering.withheld = EncodeLiveHits(answering.hits);
      Deny(answering, ReasonCode::kStopped);
    }
  }
  batch.answer = Seal(all, seal);
  for (const Answering& answering : all) {
    COMITY_RETURN_IF_ERROR(Record(transaction, recorder, batch, answering, now));
  }
  return {};
}

void SealedHolderSession::Note(Batch& batch, const Answering& answering) {
  const policy::Decision& decision = answering.judged.decision;
  for (const Digest& header : answering.stale) sealed_.Renew(header);
  // A block may have had its last release with this.
  for (const SealedCharge& charge : answering.charges) {
    if (charge.Counts() && sealed_.IsStale(charge.header)) sealed_.Renew(charge.header);
  }
  if (!decision.permitted()) return decider_.NoteRefused(decision);
  HitObserver* const observer = decider_.ports().observer;
  if (answering.hits.empty() && observer != nullptr && !answering.is_counted) {
    observer->OnMiss(decider_.Observed(answering.probe->claims, decision));
  }
  if (!answering.hits.empty()) {
    Batch::Named& named = batch.named.emplace_back();
    named.probe = static_cast<std::size_t>(answering.probe - batch.probes.data());
    for (const LiveHit& hit : answering.hits) {
      named.entries.emplace_back(hit.from->list, hit.from->gallery->row(hit.row).reference);
    }
  }
  decider_.NoteAnswered(decision, answering.hits.size());
}

std::optional<ReasonCode> SealedHolderSession::WhyStays(const Batch& batch) const {
  if (batch.named.empty()) return std::nullopt;
  const policy::Instant now = decider_.ports().clock.Now();
  const policy::Verdict verdict = decider_.Consider(terms().request, now);
  if (!verdict.capacity) return verdict.decision.code;
  if (!AreInForce(batch, now)) return ReasonCode::kListChanged;
  const Galleries::Snapshots galleries = decider_.ListsFor(verdict.decision, now);
  for (const Batch::Named& named : batch.named) {
    const RowFilter filter = decider_.FilterOf(batch.judged[named.probe].decision);
    for (const auto& [list, reference] : named.entries) {
      const GallerySnapshot* const snapshot = SnapshotOf(galleries, list);
      if (snapshot == nullptr) return ReasonCode::kListNotCovered;
      if (!RowOf(*snapshot->gallery, reference, filter, now)) return ReasonCode::kListChanged;
    }
  }
  return std::nullopt;
}

Status SealedHolderSession::Withhold(const Batch& batch, ReasonCode why) const {
  if (batch.named.empty()) return {};
  const HolderPorts& ports = decider_.ports();
  const policy::Instant now = ports.clock.Now();
  return ports.journal.Commit([&](store::Transaction&, audit::Recorder& recorder) -> Status {
    for (const Batch::Named& named : batch.named) {
      JudgedProbe judged = batch.judged[named.probe];
      judged.decision = DenialUnder(why, std::move(judged.decision));
      COMITY_RETURN_IF_ERROR(
          recorder.Record(Refusal(batch, batch.probes[named.probe], judged, now)));
    }
    return {};
  });
}

}  // namespace comity::matching
