// SPDX-License-Identifier: Apache-2.0
#include "services/matching/holder_decider.h"

#include <algorithm>
#include <map>
#include <string>
#include <utility>

#include "crypto/base/encoding.h"
#include "policy/decide/decide.h"
#include "services/audit/events.h"
#include "services/matching/deployment.h"
#include "services/matching/exchange_id.h"

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

}  // namespace

std::string EncodeLiveHits(std::span<const LiveHit> hits) {
  std::vector<LoggedHit> logged;
  for (const LiveHit& hit : hits) {
    const GalleryRow& row = hit.from->gallery->row(hit.row);
    logged.push_back({hit.from->list.text(), row.reference, row.category.text(), hit.score});
  }
  return EncodeHits(logged);
}

std::vector<std::string> EntriesOf(std::span<const LiveHit> hits) {
  std::vector<std::string> entries;
  for (const LiveHit& hit : hits) {
    entries.push_back(hit.from->list.text() + "/" + hit.from->gallery->row(hit.row).reference);
  }
  return entries;
}

policy::Decision DenialUnder(policy::ReasonCode code, policy::Decision named) {
  policy::Decision denial;
  denial.code = code;
  denial.agreement = std::move(named.agreement);
  denial.clauses = std::move(named.clauses);
  return denial;
}

ReleasedHit Release(const GalleryRow& row, std::optional<double> score,
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

HolderDecider::HolderDecider(SearchTerms terms, const HolderPorts& ports, policy::SearchMode mode)
    : terms_(std::move(terms)), ports_(ports), mode_(mode), counts_(ports.clock.Now()) {}

Status HolderDecider::CheckForm(const SearchTerms& terms) {
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

Galleries::Snapshots HolderDecider::ListsFor(const policy::Decision& decision,
                                             policy::Instant now) const {
  const auto agreements = ports_.agreements();
  const auto* const version = agreements->FindCurrent(decision.agreement->id, now);
  if (version == nullptr || version->ref != *decision.agreement) return {};
  const auto* const permission = version->agreement.FindPermission(decision.clauses.back());
  if (permission == nullptr) return {};
  return ports_.galleries.Snapshot(
      {*terms_.request.engine, version->ref.id, *terms_.request.purpose, permission->lists}, now);
}

RowFilter HolderDecider::FilterOf(const policy::Decision& decision) const {
  return {terms_.request.list_categories, decision.subject_categories};
}

policy::Verdict HolderDecider::Consider(const policy::SearchRequest& request,
                                        policy::Instant now) const {
  policy::Verdict verdict = ConsiderAs(mode_, *ports_.agreements(), request, now);
  if (ports_.halted) verdict = Halt(std::move(verdict), ports_.halted(request, terms_.deployment));
  // Nobody is told "no hit" where nothing was searched.
  if (!verdict.capacity || !ListsFor(verdict.decision, now).empty()) return verdict;
  return Halt(std::move(verdict), policy::ReasonCode::kListNotCovered);
}

Judgement HolderDecider::JudgeOpening(policy::Instant now) const {
  policy::Verdict verdict = Consider(terms_.request, now);
  const std::chrono::seconds longest = IsSingle(terms_) ? kMaxSingleLength : kMaxLength;
  const bool in_time = now < terms_.ends_at && terms_.ends_at - now <= longest;
  if (verdict.capacity && !in_time) {
    return {DenialUnder(policy::ReasonCode::kMalformedRequest, std::move(verdict.decision)), {}};
  }
  return ConcludeWithoutTaking(
      std::move(verdict), {terms_.request.requester, terms_.commitments, now, 1}, ports_.capacity);
}

audit::Event HolderDecider::OpeningEvent(const Judgement& judgement, policy::Instant now) const {
  const bool permitted = judgement.decision.permitted();
  audit::Event event = MakeEvent(
      Head(permitted ? audit::kSearchOpened : audit::kSearchRefused, now, terms_.exchange, terms_),
      judgement.decision);
  event.committed = Named(terms_);
  event.committed["request"] = EncodeRequest(terms_.request);
  Commit(terms_.commitments, event);
  if (!judgement.counters.empty()) event.committed["counters"] = judgement.counters;
  if (permitted) event.committed["ends_at"] = policy::EncodeInstant(terms_.ends_at);
  event.messages = {{"open", terms_.message}};
  return event;
}

Status HolderDecider::CheckOrder(std::uint64_t sequence) {
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

policy::SearchRequest HolderDecider::RequestOf(const ProbeClaims& claims) const {
  policy::SearchRequest request = terms_.request;
  request.agreement = claims.agreement;
  request.has_case_reference = claims.commitments.case_ref.has_value();
  return request;
}

JudgedProbe HolderDecider::Judge(
    const ProbeClaims& claims, policy::Instant now,
    const std::function<std::optional<policy::ReasonCode>()>& against) {
  const policy::SearchRequest request = RequestOf(claims);
  JudgedProbe judged{.decision = {}, .request = EncodeRequest(request), .counters = {}};
  policy::Verdict verdict = Consider(request, now);
  if (!verdict.capacity) {
    judged.decision = std::move(verdict.decision);
    return judged;
  }
  auto reason = against();
  if (!reason && now >= terms_.ends_at) reason = policy::ReasonCode::kMalformedRequest;
  if (reason) {
    judged.decision = DenialUnder(*reason, std::move(verdict.decision));
    return judged;
  }
  Judgement judgement = ConcludeAndTake(
      std::move(verdict), {request.requester, claims.commitments, now, BlockFor(request)},
      ports_.capacity);
  judged.decision = std::move(judgement.decision);
  judged.counters = std::move(judgement.counters);
  return judged;
}

audit::Event HolderDecider::RefusedEvent(const ProbeClaims& claims, const JudgedProbe& judged,
                                         policy::Instant now) const {
  audit::Event event = MakeEvent(
      Head(audit::kSearchRefused, now, ProbeExchangeId(terms_.exchange, claims.sequence), terms_),
      judged.decision);
  event.committed = Named(terms_);
  event.committed["request"] = judged.request;
  event.committed["sequence"] = std::to_string(claims.sequence);
  Commit(claims.commitments, event);
  if (!judged.counters.empty()) event.committed["counters"] = judged.counters;
  event.messages = {{"probe", claims.message}};
  event.counts = {{"refusals", 1}};
  return event;
}

std::optional<audit::Event> HolderDecider::RefusalEvent(const ProbeClaims& claims,
                                                        const JudgedProbe& judged,
                                                        policy::Instant now) const {
  if (judged.decision.code == last_decision_.code) return std::nullopt;
  return RefusedEvent(claims, judged, now);
}

audit::Event HolderDecider::HitEvent(const ProbeClaims& claims, const JudgedProbe& judged,
                                     std::span<const LiveHit> hits, policy::Instant now) const {
  audit::Event event = MakeEvent(
      Head(audit::kSearchHit, now, ProbeExchangeId(terms_.exchange, claims.sequence), terms_),
      judged.decision);
  event.committed = Named(terms_);
  event.committed["request"] = judged.request;
  event.committed["hits"] = EncodeLiveHits(hits);
  event.committed["sequence"] = std::to_string(claims.sequence);
  event.committed["counters"] = judged.counters;
  Commit(claims.commitments, event);
  event.messages = {{"probe", claims.message}};
  event.counts = {{"hits", static_cast<std::int64_t>(hits.size())}};
  return event;
}

ObservedSearch HolderDecider::Observed(const ProbeClaims& claims,
                                       const policy::Decision& decision) const {
  ObservedSearch search{
      terms_.request.requester, decision, EncodeHex(claims.commitments.officer.view()), {}};
  if (claims.commitments.case_ref) search.case_ref = EncodeHex(claims.commitments.case_ref->view());
  return search;
}

Result<bool> HolderDecider::ObserveHits(store::Transaction& transaction, audit::Recorder& recorder,
                                        const ObservedSearch& search,
                                        std::span<const LiveHit> hits) const {
  if (ports_.observer == nullptr) return false;
  return ports_.observer->OnHits(transaction, recorder, search, EntriesOf(hits));
}

Status HolderDecider::RecordHits(store::Transaction& transaction, audit::Recorder& recorder,
                                 const audit::Event& event, const ObservedSearch& search,
                                 std::span<const LiveHit> hits) const {
  ReleasedEntries released{search.partner, search.decision, event.exchange, {}};
  for (const LiveHit& hit : hits) {
    released.entries.push_back({hit.from->list, hit.from->gallery->row(hit.row).reference});
  }
  COMITY_RETURN_IF_ERROR(recorder.Record(event));
  if (!ports_.remember_released) return {};
  return ports_.remember_released(transaction, recorder, released);
}

void HolderDecider::NoteRefused(const policy::Decision& decision) {
  last_decision_ = decision;
  counts_.Refused(decision.code);
}

void HolderDecider::NoteAnswered(const policy::Decision& decision, std::size_t hits) {
  last_decision_ = decision;
  counts_.Answered(hits);
}

Status HolderDecider::WritePeriod(policy::Instant now, std::string_view type,
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

Status HolderDecider::Tick() {
  const policy::Instant now = ports_.clock.Now();
  if (closed_ || !counts_.Due(now)) return {};
  return WritePeriod(now, audit::kSearchPeriod, {});
}

Status HolderDecider::Close(std::string_view reason) {
  ended_ = true;
  if (closed_) return {};
  COMITY_RETURN_IF_ERROR(WritePeriod(ports_.clock.Now(), audit::kSearchClosed, reason));
  closed_ = true;
  return {};
}

}  // namespace comity::matching
