// SPDX-License-Identifier: Apache-2.0
#include "services/matching/holder_session.h"

#include <algorithm>
#include <map>
#include <string>
#include <tuple>
#include <utility>

#include "crypto/base/encoding.h"
#include "policy/decide/decide.h"
#include "services/audit/events.h"
#include "services/matching/deployment.h"
#include "services/matching/exchange_id.h"
#include "services/matching/judge.h"
#include "services/matching/search_events.h"
#include "services/matching/template_check.h"

namespace comity::matching {
namespace {

constexpr std::size_t kMaxProfileText = 64;
// The longest deployment, and the clock skew that messages may have.
constexpr std::chrono::seconds kMaxLength = std::chrono::hours(24) + std::chrono::seconds(60);
constexpr std::chrono::seconds kMaxSingleLength{70};  // a search's 10 s, and the same skew

// One search by a person, as against a deployment's stream.
bool IsSingle(const SearchTerms& terms) {
  return terms.request.use == policy::UseMode::kRetrospective;
}

Status CheckForm(const SearchTerms& terms) {
  if (!IsExchangeId(terms.exchange)) {
    return Fail(ErrorCode::kInvalidArgument,
                "a session's exchange id is 26 lower-case base32 characters");
  }
  if (IsSingle(terms) ? !terms.deployment.empty() : !policy::IsWellFormedId(terms.deployment)) {
    return Fail(ErrorCode::kInvalidArgument,
                "a session names the id of a deployment, and a retrospective search none");
  }
  if (terms.request.list_categories.size() > Deployment::kMaxCategories) {
    return Fail(ErrorCode::kInvalidArgument, "a search names at most 16 list categories");
  }
  const auto& engine = terms.request.engine;
  if (engine && std::max(engine->name.size(), engine->version.size()) > kMaxProfileText) {
    return Fail(ErrorCode::kInvalidArgument, "an engine's name and version have at most 64 octets");
  }
  return {};
}

ReleasedHit Release(const GalleryRow& row, double score,
                    std::span<const policy::Release> releases) {
  ReleasedHit hit;
  for (const policy::Release& release : releases) {
    switch (release.item) {
      case policy::ReleaseItem::kReferenceNumber:
        hit.reference = row.reference;
        break;
      case policy::ReleaseItem::kCategory:
        hit.category = row.category.text();
        break;
      case policy::ReleaseItem::kResponseCode:
        hit.response_code = row.response_code;
        break;
      case policy::ReleaseItem::kSimilarity:
        hit.similarity = score;
        break;
    }
  }
  return hit;
}

policy::Decision Malformed(policy::Decision named) {
  policy::Decision denial;
  denial.code = policy::ReasonCode::kMalformedRequest;
  denial.agreement = std::move(named.agreement);
  denial.clauses = std::move(named.clauses);
  return denial;
}

// The lists that a permit opens: bound to its agreement and purpose, and within what the permission
// demands of a list.
// In: decision  a permit, also one that waits for capacity: names agreement and permission, and
//               rests on engine and purpose
Galleries::Snapshots ListsFor(const SearchTerms& terms, const policy::Decision& decision,
                              const HolderPorts& ports, policy::Instant now) {
  const auto agreements = ports.agreements();
  const auto* const version = agreements->FindCurrent(decision.agreement->id, now);
  if (version == nullptr || version->ref != *decision.agreement) return {};
  const auto* const permission = version->agreement.FindPermission(decision.clauses.back());
  if (permission == nullptr) return {};
  return ports.galleries.Snapshot(
      {*terms.request.engine, version->ref.id, *terms.request.purpose, permission->lists}, now);
}

// Nobody is told "no hit" where nothing was searched.
policy::Verdict HaltIfNotCovered(policy::Verdict verdict, const SearchTerms& terms,
                                 const HolderPorts& ports, policy::Instant now) {
  if (!verdict.capacity || !ListsFor(terms, verdict.decision, ports, now).empty()) return verdict;
  return Halt(std::move(verdict), policy::ReasonCode::kListNotCovered);
}

RowFilter FilterOf(const SearchTerms& terms, const policy::Decision& decision) {
  return {terms.request.list_categories, decision.subject_categories};
}

// What every entry of a session commits to.
std::map<std::string, std::string> Named(const SearchTerms& terms) {
  if (terms.deployment.empty()) return {};
  return {{"deployment", terms.deployment}};
}

void Commit(const SearchCommitments& commitments, audit::Event& event) {
  event.committed["officer_commitment"] = EncodeHex(commitments.officer.view());
  if (commitments.case_ref) {
    event.committed["case_commitment"] = EncodeHex(commitments.case_ref->view());
  }
}

DecidedEvent Head(std::string_view type, policy::Instant now, std::string exchange,
                  const SearchTerms& terms) {
  return {.type = type,
          .time = now,
          .exchange = std::move(exchange),
          .parties = {terms.request.holder, terms.request.requester}};
}

policy::Verdict HaltIfAsked(policy::Verdict verdict, const policy::SearchRequest& request,
                            const std::string& deployment, const HolderPorts& ports) {
  if (!ports.halted) return verdict;
  return Halt(std::move(verdict), ports.halted(request, deployment));
}

Judgement JudgeOpening(const SearchTerms& terms, const HolderPorts& ports, policy::Instant now) {
  policy::Verdict verdict = HaltIfAsked(ConsiderDirect(*ports.agreements(), terms.request, now),
                                        terms.request, terms.deployment, ports);
  verdict = HaltIfNotCovered(std::move(verdict), terms, ports, now);
  const std::chrono::seconds longest = IsSingle(terms) ? kMaxSingleLength : kMaxLength;
  const bool in_time = now < terms.ends_at && terms.ends_at - now <= longest;
  if (verdict.capacity && !in_time) return {Malformed(std::move(verdict.decision)), {}};
  return ConcludeWithoutTaking(
      std::move(verdict), {terms.request.requester, terms.commitments, now, 1}, ports.capacity);
}

audit::Event OpeningEvent(const SearchTerms& terms, const Judgement& judgement,
                          policy::Instant now) {
  const bool permitted = judgement.decision.permitted();
  audit::Event event = MakeEvent(
      Head(permitted ? audit::kSearchOpened : audit::kSearchRefused, now, terms.exchange, terms),
      judgement.decision);
  event.committed = Named(terms);
  event.committed["request"] = EncodeRequest(terms.request);
  Commit(terms.commitments, event);
  if (!judgement.counters.empty()) event.committed["counters"] = judgement.counters;
  if (permitted) event.committed["ends_at"] = policy::EncodeInstant(terms.ends_at);
  event.messages = {{"open", terms.message}};
  return event;
}

}  // namespace

HolderSession::HolderSession(SearchTerms terms, const HolderPorts& ports)
    : terms_(std::move(terms)), ports_(ports), counts_(ports.clock.Now()) {}

Result<HolderSession::Opened> HolderSession::Open(SearchTerms terms, const HolderPorts& ports,
                                                  const SealOpening& seal) {
  COMITY_RETURN_IF_ERROR(CheckForm(terms));
  terms.request.has_case_reference = terms.commitments.case_ref.has_value();
  const AnswerBarrier::Ticket ticket = ports.barrier.Enter();
  const policy::Instant now = ports.clock.Now();
  const Judgement judgement = JudgeOpening(terms, ports, now);
  const bool permitted = judgement.decision.permitted();
  Opened opened{.opening = {.decision = judgement.decision}, .session = nullptr};
  audit::Event event = OpeningEvent(terms, judgement, now);
  if (permitted) {
    const Galleries::Snapshots galleries = ListsFor(terms, judgement.decision, ports, now);
    opened.opening.entries = ActiveRows(galleries, FilterOf(terms, judgement.decision), now);
    event.committed["lists"] = EncodeLists(galleries);
    event.counts = {{"entries", static_cast<std::int64_t>(opened.opening.entries)}};
  }
  event.messages[permitted ? "opened" : "refused"] = seal(opened.opening);
  COMITY_RETURN_IF_ERROR(ports.journal.Record(event));
  if (permitted) {
    opened.session.reset(new HolderSession(std::move(terms), ports));
    opened.session->last_decision_ = judgement.decision;
  }
  return opened;
}

Status HolderSession::CheckOrder(std::uint64_t sequence) {
  if (ended_) return Fail(ErrorCode::kConflict, "the search session has ended");
  if (last_sequence_ && (IsSingle(terms_) || sequence <= *last_sequence_)) {
    ended_ = true;
    return Fail(ErrorCode::kConflict, IsSingle(terms_)
                                          ? "a retrospective search has one probe"
                                          : "the sequence of a probe does not increase");
  }
  last_sequence_ = sequence;
  return {};
}

HolderSession::Judged HolderSession::Judge(const SessionProbe& probe, policy::Instant now,
                                           SecretFloats& values) {
  policy::SearchRequest request = terms_.request;
  request.agreement = probe.agreement;
  request.has_case_reference = probe.commitments.case_ref.has_value();
  Judged judged{.decision = {}, .request = EncodeRequest(request), .counters = {}};
  policy::Verdict verdict = HaltIfAsked(ConsiderDirect(*ports_.agreements(), request, now), request,
                                        terms_.deployment, ports_);
  verdict = HaltIfNotCovered(std::move(verdict), terms_, ports_, now);
  if (!verdict.capacity) {
    judged.decision = std::move(verdict.decision);
    return judged;
  }
  // A probe that cannot be searched takes no capacity.
  Result<SecretFloats> parsed = ParseTemplate(probe.embedding, request.engine->dimension);
  if (!parsed || now >= terms_.ends_at) {
    judged.decision = Malformed(std::move(verdict.decision));
    return judged;
  }
  values = *std::move(parsed);
  Judgement judgement = ConcludeAndTake(
      std::move(verdict), {request.requester, probe.commitments, now, BlockFor(request)},
      ports_.capacity);
  judged.decision = std::move(judgement.decision);
  judged.counters = std::move(judgement.counters);
  return judged;
}

Result<ProbeAnswer> HolderSession::OnProbe(const SessionProbe& probe, const SealAnswer& seal) {
  COMITY_RETURN_IF_ERROR(CheckOrder(probe.sequence));
  COMITY_RETURN_IF_ERROR(Tick());
  const AnswerBarrier::Ticket ticket = ports_.barrier.Enter();
  const policy::Instant now = ports_.clock.Now();
  counts_.Face();
  SecretFloats values;
  const Judged judged = Judge(probe, now, values);
  if (!judged.decision.permitted()) return Refuse(probe, judged, seal, now);
  return Search(probe, judged, values.Expose(), seal);
}

Result<ProbeAnswer> HolderSession::Refuse(const SessionProbe& probe, const Judged& judged,
                                          const SealAnswer& seal, policy::Instant now) {
  ProbeAnswer answer;
  answer.sequence = probe.sequence;
  answer.decision = judged.decision;
  const Digest sealed = seal(answer);
  if (judged.decision.code != last_decision_.code) {
    audit::Event event = MakeEvent(
        Head(audit::kSearchRefused, now, ProbeExchangeId(terms_.exchange, probe.sequence), terms_),
        judged.decision);
    event.committed = Named(terms_);
    event.committed["request"] = judged.request;
    event.committed["sequence"] = std::to_string(probe.sequence);
    Commit(probe.commitments, event);
    if (!judged.counters.empty()) event.committed["counters"] = judged.counters;
    event.messages = {{"probe", probe.message}, {"answer", sealed}};
    event.counts = {{"refusals", 1}};
    COMITY_RETURN_IF_ERROR(ports_.journal.Record(event));
  }
  last_decision_ = judged.decision;
  counts_.Refused(judged.decision.code);
  return answer;
}

Result<std::vector<HolderSession::Scored>> HolderSession::Find(
    const Galleries::Snapshots& galleries, std::span<const float> values, policy::Instant now,
    const policy::Decision& decision) const {
  const RowFilter filter = FilterOf(terms_, decision);
  std::vector<Scored> hits;
  for (const GallerySnapshot& snapshot : galleries) {
    const double threshold = std::max(*terms_.request.threshold, snapshot.threshold);
    COMITY_ASSIGN_OR_RETURN(const auto candidates,
                            ports_.scanner.Scan(*snapshot.gallery, values, threshold));
    for (const Candidate& candidate : candidates.front()) {
      const GalleryRow& row = snapshot.gallery->row(candidate.row);
      const bool valid = row.valid_from <= now && now < row.expires_at;
      if (valid && filter.Takes(row)) hits.push_back({&snapshot, candidate});
    }
  }
  const auto key = [](const Scored& hit) {
    return std::tie(hit.from->gallery->row(hit.candidate.row).reference, hit.from->list);
  };
  std::sort(hits.begin(), hits.end(), [&](const Scored& a, const Scored& b) {
    if (a.candidate.score != b.candidate.score) return a.candidate.score > b.candidate.score;
    return key(a) < key(b);
  });
  if (hits.size() > decision.hit_cap) hits.resize(decision.hit_cap);
  return hits;
}

audit::Event HolderSession::HitEvent(const SessionProbe& probe, const Judged& judged,
                                     std::span<const Scored> hits, policy::Instant now) const {
  std::vector<LoggedHit> logged;
  for (const Scored& hit : hits) {
    const GalleryRow& row = hit.from->gallery->row(hit.candidate.row);
    logged.push_back(
        {hit.from->list.text(), row.reference, row.category.text(), hit.candidate.score});
  }
  audit::Event event = MakeEvent(
      Head(audit::kSearchHit, now, ProbeExchangeId(terms_.exchange, probe.sequence), terms_),
      judged.decision);
  event.committed = Named(terms_);
  event.committed["request"] = judged.request;
  event.committed["hits"] = EncodeHits(logged);
  event.committed["sequence"] = std::to_string(probe.sequence);
  event.committed["counters"] = judged.counters;
  Commit(probe.commitments, event);
  event.counts = {{"hits", static_cast<std::int64_t>(hits.size())}};
  return event;
}

Result<ProbeAnswer> HolderSession::Search(const SessionProbe& probe, const Judged& judged,
                                          std::span<const float> values, const SealAnswer& seal) {
  const policy::Instant now = ports_.clock.Now();
  const Galleries::Snapshots galleries = ListsFor(terms_, judged.decision, ports_, now);
  COMITY_ASSIGN_OR_RETURN(const std::vector<Scored> hits,
                          Find(galleries, values, now, judged.decision));
  ProbeAnswer answer{.sequence = probe.sequence,
                     .decision = judged.decision,
                     .hits = {},
                     .entries = ActiveRows(galleries, FilterOf(terms_, judged.decision), now)};
  for (const Scored& hit : hits) {
    answer.hits.push_back(Release(hit.from->gallery->row(hit.candidate.row), hit.candidate.score,
                                  judged.decision.releases));
  }
  const Digest sealed = seal(answer);
  if (!hits.empty()) {
    audit::Event event = HitEvent(probe, judged, hits, now);
    event.messages = {{"probe", probe.message}, {"answer", sealed}};
    event.counts["entries"] = static_cast<std::int64_t>(answer.entries);
    COMITY_RETURN_IF_ERROR(RecordHits(event, Observed(probe, judged), hits));
  } else if (ports_.observer != nullptr) {
    ports_.observer->OnMiss(Observed(probe, judged));
  }
  last_decision_ = judged.decision;
  counts_.Answered(hits.size());
  return answer;
}

ObservedSearch HolderSession::Observed(const SessionProbe& probe, const Judged& judged) const {
  ObservedSearch search{
      terms_.request.requester, judged.decision, EncodeHex(probe.commitments.officer.view()), {}};
  if (probe.commitments.case_ref) search.case_ref = EncodeHex(probe.commitments.case_ref->view());
  return search;
}

Status HolderSession::RecordHits(const audit::Event& event, const ObservedSearch& search,
                                 std::span<const Scored> hits) {
  ReleasedEntries released{search.partner, search.decision, event.exchange, {}};
  std::vector<std::string> entries;
  for (const Scored& hit : hits) {
    const GalleryRow& row = hit.from->gallery->row(hit.candidate.row);
    entries.push_back(hit.from->list.text() + "/" + row.reference);
    released.entries.push_back({hit.from->list, row.reference});
  }
  const auto work = [&](store::Transaction& transaction, audit::Recorder& recorder) -> Status {
    COMITY_RETURN_IF_ERROR(recorder.Record(event));
    if (ports_.remember_released) {
      COMITY_RETURN_IF_ERROR(ports_.remember_released(transaction, recorder, released));
    }
    if (ports_.observer == nullptr) return {};
    return ports_.observer->OnHits(transaction, recorder, search, entries);
  };
  COMITY_RETURN_IF_ERROR(ports_.journal.Commit(work));
  if (ports_.observer != nullptr) ports_.observer->AfterHits();
  return {};
}

Status HolderSession::WritePeriod(policy::Instant now, std::string_view type,
                                  std::string_view reason) {
  audit::Event event = MakeEvent(Head(type, now, terms_.exchange, terms_), last_decision_);
  event.decision_code.clear();  // a period has no single decision
  event.clauses.clear();
  event.committed = Named(terms_);
  event.committed["from"] = policy::EncodeInstant(counts_.from());
  event.committed["to"] = policy::EncodeInstant(now);
  if (!reason.empty()) event.committed["reason"] = std::string(reason);
  event.counts = counts_.AsCounts();
  COMITY_RETURN_IF_ERROR(ports_.journal.Record(event));
  counts_.Restart(now);
  return {};
}

Status HolderSession::Tick() {
  const policy::Instant now = ports_.clock.Now();
  if (closed_ || !counts_.Due(now)) return {};
  return WritePeriod(now, audit::kSearchPeriod, {});
}

Status HolderSession::Close(std::string_view reason) {
  ended_ = true;
  if (closed_) return {};
  COMITY_RETURN_IF_ERROR(WritePeriod(ports_.clock.Now(), audit::kSearchClosed, reason));
  closed_ = true;
  return {};
}

}  // namespace comity::matching
