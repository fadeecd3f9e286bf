// SPDX-License-Identifier: Apache-2.0
#include "services/matching/holder_session.h"

#include <algorithm>
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

Status CheckForm(const SearchTerms& terms) {
  if (!IsExchangeId(terms.exchange)) {
    return Fail(ErrorCode::kInvalidArgument,
                "a session's exchange id is 26 lower-case base32 characters");
  }
  if (!policy::IsWellFormedId(terms.deployment)) {
    return Fail(ErrorCode::kInvalidArgument, "the deployment of a session is not an id");
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
                    std::span<const policy::ReleaseItem> releases) {
  ReleasedHit hit;
  for (const policy::ReleaseItem item : releases) {
    switch (item) {
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

DecidedEvent Head(std::string_view type, policy::Instant now, std::string exchange,
                  const SearchTerms& terms) {
  return {.type = type,
          .time = now,
          .exchange = std::move(exchange),
          .parties = {terms.request.holder, terms.request.requester}};
}

Judgement JudgeOpening(const SearchTerms& terms, const HolderPorts& ports, policy::Instant now) {
  policy::Verdict verdict = ConsiderDirect(*ports.agreements(), terms.request, now);
  const bool in_time = now < terms.ends_at && terms.ends_at - now <= kMaxLength;
  if (verdict.capacity && !in_time) return {Malformed(std::move(verdict.decision)), {}};
  return ConcludeWithoutTaking(std::move(verdict), terms.request.requester, now, ports.capacity);
}

audit::Event OpeningEvent(const SearchTerms& terms, const Judgement& judgement,
                          policy::Instant now) {
  const bool permitted = judgement.decision.permitted();
  audit::Event event = MakeEvent(
      Head(permitted ? audit::kSearchOpened : audit::kSearchRefused, now, terms.exchange, terms),
      judgement.decision);
  event.committed = {{"deployment", terms.deployment},
                     {"request", EncodeRequest(terms.request)},
                     {"operator", EncodeHex(terms.operator_commitment.view())}};
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
  const policy::Instant now = ports.clock.Now();
  const Judgement judgement = JudgeOpening(terms, ports, now);
  const bool permitted = judgement.decision.permitted();
  Opened opened{.opening = {.decision = judgement.decision}, .session = nullptr};
  audit::Event event = OpeningEvent(terms, judgement, now);
  if (permitted) {
    const Galleries::Snapshots galleries = ports.galleries.Snapshot(*terms.request.engine);
    opened.opening.entries = ActiveRows(galleries, terms.request.list_categories, now);
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
  if (last_sequence_ && sequence <= *last_sequence_) {
    ended_ = true;
    return Fail(ErrorCode::kConflict, "the sequence of a probe does not increase");
  }
  last_sequence_ = sequence;
  return {};
}

HolderSession::Judged HolderSession::Judge(const SessionProbe& probe, policy::Instant now,
                                           SecretFloats& values) {
  policy::SearchRequest request = terms_.request;
  request.agreement = probe.agreement;
  Judged judged{.decision = {}, .request = EncodeRequest(request), .counters = {}};
  policy::Verdict verdict = ConsiderDirect(*ports_.agreements(), request, now);
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
  Judgement judgement =
      ConcludeAndTake(std::move(verdict), request.requester, now, ports_.capacity);
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
    event.committed = {{"deployment", terms_.deployment},
                       {"request", judged.request},
                       {"sequence", std::to_string(probe.sequence)}};
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
    std::uint32_t hit_cap) const {
  const auto& categories = terms_.request.list_categories;
  std::vector<Scored> hits;
  for (const GallerySnapshot& snapshot : galleries) {
    COMITY_ASSIGN_OR_RETURN(const auto candidates, ports_.scanner.Scan(*snapshot.gallery, values,
                                                                       *terms_.request.threshold));
    for (const Candidate& candidate : candidates.front()) {
      const GalleryRow& row = snapshot.gallery->row(candidate.row);
      const bool valid = row.valid_from <= now && now < row.expires_at;
      const bool asked_for =
          std::find(categories.begin(), categories.end(), row.category) != categories.end();
      if (valid && asked_for) hits.push_back({&snapshot, candidate});
    }
  }
  const auto key = [](const Scored& hit) {
    return std::tie(hit.from->gallery->row(hit.candidate.row).reference, hit.from->list);
  };
  std::sort(hits.begin(), hits.end(), [&](const Scored& a, const Scored& b) {
    if (a.candidate.score != b.candidate.score) return a.candidate.score > b.candidate.score;
    return key(a) < key(b);
  });
  if (hits.size() > hit_cap) hits.resize(hit_cap);
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
  event.committed = {{"deployment", terms_.deployment},
                     {"request", judged.request},
                     {"hits", EncodeHits(logged)},
                     {"sequence", std::to_string(probe.sequence)},
                     {"counters", judged.counters}};
  event.counts = {{"hits", static_cast<std::int64_t>(hits.size())}};
  return event;
}

Result<ProbeAnswer> HolderSession::Search(const SessionProbe& probe, const Judged& judged,
                                          std::span<const float> values, const SealAnswer& seal) {
  const policy::Instant now = ports_.clock.Now();
  const Galleries::Snapshots galleries = ports_.galleries.Snapshot(*terms_.request.engine);
  COMITY_ASSIGN_OR_RETURN(const std::vector<Scored> hits,
                          Find(galleries, values, now, judged.decision.hit_cap));
  ProbeAnswer answer{.sequence = probe.sequence,
                     .decision = judged.decision,
                     .hits = {},
                     .entries = ActiveRows(galleries, terms_.request.list_categories, now)};
  for (const Scored& hit : hits) {
    answer.hits.push_back(Release(hit.from->gallery->row(hit.candidate.row), hit.candidate.score,
                                  judged.decision.releases));
  }
  const Digest sealed = seal(answer);
  if (!hits.empty()) {
    audit::Event event = HitEvent(probe, judged, hits, now);
    event.messages = {{"probe", probe.message}, {"answer", sealed}};
    event.counts["entries"] = static_cast<std::int64_t>(answer.entries);
    COMITY_RETURN_IF_ERROR(ports_.journal.Record(event));
  }
  last_decision_ = judged.decision;
  counts_.Answered(hits.size());
  return answer;
}

Status HolderSession::WritePeriod(policy::Instant now, std::string_view type,
                                  std::string_view reason) {
  audit::Event event = MakeEvent(Head(type, now, terms_.exchange, terms_), last_decision_);
  event.decision_code.clear();  // a period has no single decision
  event.clauses.clear();
  event.committed = {{"deployment", terms_.deployment},
                     {"from", policy::EncodeInstant(counts_.from())},
                     {"to", policy::EncodeInstant(now)}};
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
