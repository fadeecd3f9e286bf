// SPDX-License-Identifier: Apache-2.0
#include "services/gateway/federation/list_validation.h"

#include <algorithm>
#include <chrono>
#include <span>
#include <utility>

#include "policy/decide/decide.h"
#include "services/audit/events.h"
#include "services/gateway/federation/offer_list.h"
#include "services/gateway/wire/convert_policy.h"
#include "services/gateway/wire/convert_time.h"
#include "services/matching/judge.h"
#include "services/matching/search_events.h"
#include "services/transport/limits.h"

namespace comity::gateway {
namespace {

// A deployment asks when it starts; one of another day would only have all lists looked at again.
Status CheckStart(const v1::ValidateListsRequest& asked, policy::Instant now) {
  COMITY_ASSIGN_OR_RETURN(const policy::Instant starts_at, FromProto(asked.starts_at()));
  if (starts_at <= now + std::chrono::hours(24) + transport::limits::kMaxClockSkew) return {};
  return Fail(ErrorCode::kInvalidArgument, "the deployment of a validation starts later");
}

policy::Decision DecisionOf(policy::Verdict verdict) {
  // Capacity is taken from each probe, not from the deployment.
  if (verdict.capacity) verdict.decision.code = policy::ReasonCode::kPermit;
  return std::move(verdict.decision);
}

// The permission that a permit rests on; null: the agreement is another one by now.
const policy::SearchPermission* PermissionOf(const policy::AgreementSet& agreements,
                                             const policy::Decision& decision,
                                             policy::Instant now) {
  const auto* const version = agreements.FindCurrent(decision.agreement->id, now);
  if (version == nullptr || version->ref != *decision.agreement) return nullptr;
  return version->agreement.FindPermission(decision.clauses.back());
}

bool Holds(const matching::Galleries::Snapshots& searched, const policy::WatchlistId& list) {
  return std::ranges::any_of(searched, [&](const auto& one) { return one.list == list; });
}

// What a probe of the deployment would meet at this moment, as an offer counts it.
void AddCounts(const matching::Galleries::Snapshots& searched,
               const watchlists::Validation& validation, const policy::SearchRequest& request,
               const policy::Decision& decision, policy::Instant now,
               v1::ValidateListsReply& reply) {
  std::uint64_t entries = 0;
  std::uint64_t stale = 0;
  for (const policy::ListCategory& category : request.list_categories) {
    const std::uint64_t active =
        matching::ActiveRows(searched, {std::span(&category, 1), decision.subject_categories}, now);
    for (const watchlists::Validation::List& list : validation.lists) {
      const auto found = list.counts.stale_by_category.find(category.text());
      const bool counts = found != list.counts.stale_by_category.end();
      if (counts && Holds(searched, list.list)) stale += found->second;
    }
    entries += active;
    if (active == 0) continue;
    v1::OfferedCategory& offered = *reply.add_categories();
    offered.set_category(category.text());
    offered.set_entries(active);
  }
  reply.set_entries(entries);
  reply.set_stale(stale);
  if (!searched.empty()) *reply.mutable_validated_at() = ToProto(validation.validated_at);
}

}  // namespace

Result<v1::ValidateListsReply> ListValidator::Validate(const v1::ValidateListsRequest& asked,
                                                       const policy::AgencyId& requester) {
  COMITY_ASSIGN_OR_RETURN(policy::SearchRequest request,
                          FromProto(asked.terms(), requester, ports_.self));
  if (!policy::IsWellFormedId(asked.deployment())) {
    return Fail(ErrorCode::kInvalidArgument, "the deployment of a validation is not an id");
  }
  request.has_case_reference = true;  // a deployment has one; each probe commits to it
  const policy::Instant now = ports_.search.clock.Now();
  COMITY_RETURN_IF_ERROR(CheckStart(asked, now));
  const auto agreements = ports_.search.agreements();
  policy::Verdict verdict = policy::Consider(*agreements, request, now);
  if (ports_.search.halted) {
    verdict = matching::Halt(std::move(verdict), ports_.search.halted(request, asked.deployment()));
  }
  const policy::Decision decision = DecisionOf(std::move(verdict));
  v1::ValidateListsReply reply;
  *reply.mutable_decision() = ToProto(decision);
  if (!decision.permitted()) return reply;
  const auto* const permission = PermissionOf(*agreements, decision, now);
  if (permission == nullptr) return Fail(ErrorCode::kInternal, "a permit rests on no permission");
  const matching::SearchScope scope{*request.engine, decision.agreement->id, *request.purpose,
                                    permission->lists};
  COMITY_ASSIGN_OR_RETURN(const watchlists::Validation validation, LookAgain(scope, now));
  AddCounts(ports_.search.galleries.Snapshot(scope, now), validation, request, decision, now,
            reply);
  return reply;
}

Result<watchlists::Validation> ListValidator::LookAgain(const matching::SearchScope& scope,
                                                        policy::Instant now) {
  // Whoever asks at the same time waits, and then finds that it was done.
  const std::lock_guard one_at_a_time(mutex_);
  watchlists::Validation& last = last_[{scope.agreement, scope.purpose}];
  const auto rest = std::min(kRest, scope.bounds.max_age / 2);
  const bool is_recent = last.validated_at <= now && now - last.validated_at < rest;
  const auto known = [&](const matching::GallerySnapshot& searched) {
    return std::ranges::count(last.lists, searched.list, &watchlists::Validation::List::list) > 0;
  };
  const auto searched = ports_.search.galleries.Snapshot(scope, now);
  if (is_recent && std::ranges::all_of(searched, known)) return last;
  COMITY_ASSIGN_OR_RETURN(last, ports_.lists.Revalidate(scope.agreement, scope.purpose, now));
  for (const watchlists::Validation::List& list : last.lists) {
    ports_.search.galleries.Renew(list.list, last.validated_at);
  }
  return last;
}

Status ListValidator::Record(const v1::ValidateListsRequest& asked,
                             const v1::ValidateListsReply& reply, const policy::AgencyId& requester,
                             std::map<std::string, Digest> messages) const {
  const policy::Decision decision = FromProto(reply.decision());
  audit::Event event = matching::MakeEvent({.type = audit::kListsValidated,
                                            .time = ports_.search.clock.Now(),
                                            .exchange = asked.header().exchange_id(),
                                            .parties = {ports_.self, requester}},
                                           decision);
  event.committed = {{"deployment", asked.deployment()}};
  if (const auto request = FromProto(asked.terms(), requester, ports_.self)) {
    event.committed["request"] = matching::EncodeRequest(*request);
  }
  event.messages = std::move(messages);
  event.counts = {{"entries", static_cast<std::int64_t>(reply.entries())}};
  return ports_.search.journal.Record(event);
}

Result<matching::HolderValidation> FromProto(const v1::ValidateListsReply& reply) {
  if (static_cast<std::size_t>(reply.categories_size()) > transport::limits::kMaxCategories) {
    return Fail(ErrorCode::kInvalidArgument, "a validation counts at most 16 categories");
  }
  if (reply.entries() > kMaxOfferedEntries || reply.stale() > kMaxOfferedEntries) {
    return Fail(ErrorCode::kInvalidArgument, "a validation counts at most 1,000,000,000 entries");
  }
  matching::HolderValidation said;
  said.decision = FromProto(reply.decision());
  said.entries = reply.entries();
  said.stale = reply.stale();
  if (reply.has_validated_at()) {
    COMITY_ASSIGN_OR_RETURN(said.validated_at, FromProto(reply.validated_at()));
  }
  return said;
}

}  // namespace comity::gateway
