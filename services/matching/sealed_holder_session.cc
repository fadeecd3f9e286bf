// SPDX-License-Identifier: Apache-2.0
#include "services/matching/sealed_holder_session.h"

#include <algorithm>
#include <string>

#include "services/audit/events.h"
#include "services/matching/sealed_ground.h"
#include "services/matching/sealed_mode.h"
#include "services/matching/search_events.h"

namespace comity::matching {

using policy::ReasonCode;

bool SealedListInForce::Is(const SealedListRef& ref) const {
  return ref.header == header() && ref.sequence == view->state().sequence &&
         ref.state == view->state_digest();
}

SealedListRef RefOf(const SealedListInForce& list) {
  return {list.header(), list.view->state().sequence, list.view->state_digest()};
}

SealedHolderSession::SealedHolderSession(HolderDecider decider, SealedLists& sealed,
                                         std::span<const SealedListInForce> lists,
                                         const policy::Decision& permit)
    : decider_(std::move(decider)), sealed_(sealed) {
  for (const SealedListInForce& list : lists) headers_.push_back(list.header());
  decider_.NoteOpened(permit);
}

Result<SealedHolderSession::Opened> SealedHolderSession::Open(SearchTerms terms,
                                                              std::span<const SealedListRef> refs,
                                                              const HolderPorts& ports,
                                                              SealedLists& sealed,
                                                              const SealOpening& seal) {
  COMITY_RETURN_IF_ERROR(HolderDecider::CheckForm(terms));
  terms.request.has_case_reference = terms.commitments.case_ref.has_value();
  HolderDecider decider(std::move(terms), ports, policy::SearchMode::kSealed);
  const AnswerBarrier::Ticket ticket = ports.barrier.Enter();
  const policy::Instant now = ports.clock.Now();
  Judgement judgement = decider.JudgeOpening(now);
  Ground ground;
  if (judgement.decision.permitted()) {
    auto lists = FindSealedGround(decider.terms(), refs, sealed, now);
    ground.tau = TauOf(*decider.terms().request.threshold);
    ground.cap = SealedCap(judgement.decision.hit_cap);
    const std::optional<ReasonCode> reason =
        lists ? CheckTau(ground.tau, *lists) : std::optional(lists.error());
    if (lists && !reason) ground.lists = *std::move(lists);
    if (reason) judgement.decision = DenialUnder(*reason, std::move(judgement.decision));
  }
  const bool permitted = judgement.decision.permitted();
  Opened opened{.opening = {.decision = judgement.decision}, .session = nullptr};
  audit::Event event = decider.OpeningEvent(judgement, now);
  if (permitted) {
    opened.opening.entries = SlotsOf(ground.lists);
    event.committed["lists"] = EncodeLists(decider.ListsFor(judgement.decision, now));
    event.committed["sealed"] = EncodeSealedLists(RefsOf(ground.lists));
    event.counts = {{"entries", static_cast<std::int64_t>(opened.opening.entries)}};
  }
  event.messages[permitted ? "opened" : "refused"] = seal(opened.opening, ground);
  COMITY_RETURN_IF_ERROR(ports.journal.Record(event));
  if (permitted) {
    opened.session.reset(
        new SealedHolderSession(std::move(decider), sealed, ground.lists, judgement.decision));
  }
  return opened;
}

// What is against every probe that was made under these states.
std::optional<ReasonCode> SealedHolderSession::Refresh(std::span<const SealedListRef> refs,
                                                       policy::Instant now, Batch& batch) {
  if (!std::ranges::equal(refs, headers_, {}, &SealedListRef::header)) {
    return ReasonCode::kListChanged;
  }
  auto found = FindSealedGround(terms(), refs, sealed_, now);
  if (!found) return found.error();
  batch.lists = *std::move(found);
  std::optional<ReasonCode> stale;
  for (const SealedListInForce& list : batch.lists) {
    if (!sealed_.IsStale(list.header())) continue;
    sealed_.Renew(list.header());
    stale = ReasonCode::kStaleBlock;
  }
  return stale;
}

Result<SealedHolderSession::Batch> SealedHolderSession::Begin(std::vector<SealedProbe> probes,
                                                              std::span<const SealedListRef> refs,
                                                              const SealAnswers& seal) {
  for (const SealedProbe& probe : probes) {
    COMITY_RETURN_IF_ERROR(decider_.CheckOrder(probe.claims.sequence));
  }
  COMITY_RETURN_IF_ERROR(Tick());
  const AnswerBarrier::Ticket ticket = decider_.ports().barrier.Enter();
  const policy::Instant now = decider_.ports().clock.Now();
  Batch batch;
  const std::optional<ReasonCode> against_all = Refresh(refs, now, batch);
  batch.probes = std::move(probes);
  for (std::size_t i = 0; i < batch.probes.size(); ++i) {
    const ProbeClaims& claims = batch.probes[i].claims;
    decider_.NoteFace();
    batch.judged.push_back(decider_.Judge(claims, now, [&]() -> std::optional<ReasonCode> {
      // The lists are of one version of the agreement.
      if (claims.agreement != terms().request.agreement) return ReasonCode::kListChanged;
      if (against_all) return against_all;
      return CheckGalleries(batch, claims, now);
    }));
    if (batch.judged.back().decision.permitted()) batch.accepted.push_back(i);
  }
  COMITY_RETURN_IF_ERROR(Refuse(batch, now, seal));
  return batch;
}

// A list that is in the session and not searched now is a denial, never a silent "no".
std::optional<ReasonCode> SealedHolderSession::CheckGalleries(const Batch& batch,
                                                              const ProbeClaims& claims,
                                                              policy::Instant now) const {
  const policy::Verdict verdict = decider_.Consider(decider_.RequestOf(claims), now);
  if (verdict.capacity &&
      !AllHaveGalleries(batch.lists, decider_.ListsFor(verdict.decision, now))) {
    return ReasonCode::kListNotCovered;
  }
  return std::nullopt;
}

bool SealedHolderSession::HasLists() const {
  const policy::Instant now = decider_.ports().clock.Now();
  return std::ranges::all_of(headers_, [&](const Digest& header) {
    return sealed_.Find(header, terms().request.requester, now).has_value();
  });
}

Status SealedHolderSession::Refuse(const Batch& batch, policy::Instant now,
                                   const SealAnswers& seal) {
  std::vector<ProbeAnswer> answers;
  std::vector<audit::Event> events;
  for (std::size_t i = 0; i < batch.probes.size(); ++i) {
    const JudgedProbe& judged = batch.judged[i];
    if (judged.decision.permitted()) continue;
    ProbeAnswer& answer = answers.emplace_back();
    answer.sequence = batch.probes[i].claims.sequence;
    answer.decision = judged.decision;
    if (auto event = decider_.RefusalEvent(batch.probes[i].claims, judged, now)) {
      events.push_back(*std::move(event));
    }
    decider_.NoteRefused(judged.decision);
  }
  if (answers.empty()) return {};
  const Digest sealed = seal(answers);
  if (events.empty()) return {};
  return decider_.ports().journal.Commit(
      [&](store::Transaction&, audit::Recorder& recorder) -> Status {
        for (audit::Event& event : events) {
          event.messages["answer"] = sealed;
          COMITY_RETURN_IF_ERROR(recorder.Record(event));
        }
        return {};
      });
}

}  // namespace comity::matching
