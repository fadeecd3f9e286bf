// SPDX-License-Identifier: Apache-2.0
#include "services/matching/holder_session.h"

#include <algorithm>
#include <string>
#include <tuple>
#include <utility>

#include "services/matching/search_events.h"
#include "services/matching/template_check.h"

namespace comity::matching {

Result<HolderSession::Opened> HolderSession::Open(SearchTerms terms, const HolderPorts& ports,
                                                  const SealOpening& seal) {
  COMITY_RETURN_IF_ERROR(HolderDecider::CheckForm(terms));
  terms.request.has_case_reference = terms.commitments.case_ref.has_value();
  HolderDecider decider(std::move(terms), ports, policy::SearchMode::kDirect);
  const AnswerBarrier::Ticket ticket = ports.barrier.Enter();
  const policy::Instant now = ports.clock.Now();
  const Judgement judgement = decider.JudgeOpening(now);
  const bool permitted = judgement.decision.permitted();
  Opened opened{.opening = {.decision = judgement.decision}, .session = nullptr};
  audit::Event event = decider.OpeningEvent(judgement, now);
  if (permitted) {
    const Galleries::Snapshots galleries = decider.ListsFor(judgement.decision, now);
    opened.opening.entries = ActiveRows(galleries, decider.FilterOf(judgement.decision), now);
    event.committed["lists"] = EncodeLists(galleries);
    event.counts = {{"entries", static_cast<std::int64_t>(opened.opening.entries)}};
  }
  event.messages[permitted ? "opened" : "refused"] = seal(opened.opening);
  COMITY_RETURN_IF_ERROR(ports.journal.Record(event));
  if (permitted) {
    decider.NoteOpened(judgement.decision);
    opened.session.reset(new HolderSession(std::move(decider)));
  }
  return opened;
}

Result<ProbeAnswer> HolderSession::OnProbe(const SessionProbe& probe, const SealAnswer& seal) {
  COMITY_RETURN_IF_ERROR(decider_.CheckOrder(probe.sequence));
  COMITY_RETURN_IF_ERROR(Tick());
  const AnswerBarrier::Ticket ticket = decider_.ports().barrier.Enter();
  const policy::Instant now = decider_.ports().clock.Now();
  decider_.NoteFace();
  SecretFloats values;
  const auto against = [&]() -> std::optional<policy::ReasonCode> {
    Result<SecretFloats> parsed = ParseTemplate(probe.embedding, terms().request.engine->dimension);
    if (!parsed) return policy::ReasonCode::kMalformedRequest;
    values = *std::move(parsed);
    return std::nullopt;
  };
  const ProbeClaims claims{probe.sequence, probe.agreement, probe.commitments, probe.message};
  const JudgedProbe judged = decider_.Judge(claims, now, against);
  if (!judged.decision.permitted()) return Refuse(claims, judged, seal, now);
  return Search(claims, judged, values.Expose(), seal);
}

Result<ProbeAnswer> HolderSession::Refuse(const ProbeClaims& claims, const JudgedProbe& judged,
                                          const SealAnswer& seal, policy::Instant now) {
  ProbeAnswer answer;
  answer.sequence = claims.sequence;
  answer.decision = judged.decision;
  const Digest sealed = seal(answer);
  if (std::optional<audit::Event> event = decider_.RefusalEvent(claims, judged, now)) {
    event->messages["answer"] = sealed;
    COMITY_RETURN_IF_ERROR(decider_.ports().journal.Record(*event));
  }
  decider_.NoteRefused(judged.decision);
  return answer;
}

Result<std::vector<LiveHit>> HolderSession::Find(const Galleries::Snapshots& galleries,
                                                 std::span<const float> values, policy::Instant now,
                                                 const policy::Decision& decision) const {
  const RowFilter filter = decider_.FilterOf(decision);
  std::vector<LiveHit> hits;
  for (const GallerySnapshot& snapshot : galleries) {
    const double threshold = std::max(*terms().request.threshold, snapshot.threshold);
    COMITY_ASSIGN_OR_RETURN(const auto candidates,
                            decider_.ports().scanner.Scan(*snapshot.gallery, values, threshold));
    for (const Candidate& candidate : candidates.front()) {
      const GalleryRow& row = snapshot.gallery->row(candidate.row);
      const bool valid = row.valid_from <= now && now < row.expires_at;
      if (valid && filter.Takes(row)) hits.push_back({&snapshot, candidate.row, candidate.score});
    }
  }
  const auto key = [](const LiveHit& hit) {
    return std::tie(hit.from->gallery->row(hit.row).reference, hit.from->list);
  };
  std::sort(hits.begin(), hits.end(), [&](const LiveHit& a, const LiveHit& b) {
    if (a.score != b.score) return a.score > b.score;
    return key(a) < key(b);
  });
  if (hits.size() > decision.hit_cap) hits.resize(decision.hit_cap);
  return hits;
}

Result<ProbeAnswer> HolderSession::Search(const ProbeClaims& claims, const JudgedProbe& judged,
                                          std::span<const float> values, const SealAnswer& seal) {
  const HolderPorts& ports = decider_.ports();
  const policy::Instant now = ports.clock.Now();
  const policy::Decision& decision = judged.decision;
  const Galleries::Snapshots galleries = decider_.ListsFor(decision, now);
  COMITY_ASSIGN_OR_RETURN(const std::vector<LiveHit> hits, Find(galleries, values, now, decision));
  ProbeAnswer answer{.sequence = claims.sequence,
                     .decision = decision,
                     .hits = {},
                     .entries = ActiveRows(galleries, decider_.FilterOf(decision), now)};
  for (const LiveHit& hit : hits) {
    answer.hits.push_back(Release(hit.from->gallery->row(hit.row), hit.score, decision.releases));
  }
  const Digest sealed = seal(answer);
  const ObservedSearch observed = decider_.Observed(claims, decision);
  if (!hits.empty()) {
    audit::Event event = decider_.HitEvent(claims, judged, hits, now);
    event.messages["answer"] = sealed;
    event.counts["entries"] = static_cast<std::int64_t>(answer.entries);
    COMITY_RETURN_IF_ERROR(ports.journal.Commit(
        [&](store::Transaction& transaction, audit::Recorder& recorder) -> Status {
          COMITY_RETURN_IF_ERROR(decider_.RecordHits(transaction, recorder, event, observed, hits));
          COMITY_RETURN_IF_ERROR(decider_.ObserveHits(transaction, recorder, observed, hits));
          return {};
        }));
    if (ports.observer != nullptr) ports.observer->AfterHits();
  } else if (ports.observer != nullptr) {
    ports.observer->OnMiss(observed);
  }
  decider_.NoteAnswered(decision, hits.size());
  return answer;
}

}  // namespace comity::matching
