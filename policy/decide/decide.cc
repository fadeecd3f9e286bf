// SPDX-License-Identifier: Apache-2.0
#include "policy/decide/decide.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "policy/decide/bounds.h"
#include "policy/decide/request_form.h"
#include "policy/decide/standing.h"

namespace comity::policy {
namespace {

// The current version of the named agreement, if it is one between these two agencies.
const AgreementVersion* FindNamed(const AgreementSet& set, const SearchRequest& request,
                                  Instant now) {
  if (!request.agreement) return nullptr;
  const AgreementVersion* version = set.FindCurrent(request.agreement->id, now);
  if (version == nullptr || version->agreement.FindParty(request.requester) == nullptr ||
      version->agreement.FindParty(request.holder) == nullptr) {
    return nullptr;
  }
  return version;
}

std::optional<Decision> DenyByProhibition(const AgreementVersion& version,
                                          const SearchRequest& request) {
  for (const Prohibition& prohibition : version.agreement.prohibitions) {
    if (Forbids(prohibition, request)) {
      return Deny(ReasonCode::kProhibited, &version, {prohibition.id});
    }
  }
  return std::nullopt;
}

Verdict PermitInWaiting(const AgreementVersion& version, const SearchPermission& permission,
                        const Purpose& purpose) {
  Verdict verdict;
  verdict.decision = Deny(ReasonCode::kStateUnreadable, &version, {permission.id});
  verdict.decision.hit_cap = permission.hit_cap;
  verdict.decision.releases = permission.releases;
  verdict.decision.subject_categories = purpose.subject_categories;
  verdict.decision.alert_retention = version.agreement.retention.alert;
  verdict.capacity = {version.ref.id, permission.id, permission.capacity};
  return verdict;
}

Verdict ConsiderPermissions(const AgreementVersion& version, const SearchRequest& request) {
  const Purpose* const purpose = version.agreement.FindPurpose(*request.purpose);
  const SearchPermission* nearest = nullptr;
  Bound furthest = Bound::kPurpose;
  for (const SearchPermission& permission : version.agreement.permissions) {
    if (permission.requester != request.requester || permission.holder != request.holder) continue;
    const Bound broken = FirstBroken(permission, purpose, request);
    if (broken == Bound::kAll) return PermitInWaiting(version, permission, *purpose);
    if (nearest != nullptr && broken <= furthest) continue;
    nearest = &permission;
    furthest = broken;
  }
  if (nearest == nullptr) {
    return {Deny(ReasonCode::kPartyNotCovered, &version, {"permissions"}), std::nullopt};
  }
  return {Deny(ReasonOf(furthest), &version,
               {nearest->id, ClauseOf(*nearest, furthest, *request.purpose)}),
          std::nullopt};
}

bool HasDirection(const AgreementVersion& version, const SearchRequest& request) {
  return std::any_of(version.agreement.permissions.begin(), version.agreement.permissions.end(),
                     [&](const SearchPermission& permission) {
                       return permission.requester == request.requester &&
                              permission.holder == request.holder;
                     });
}

}  // namespace

Verdict Consider(const AgreementSet& set, const SearchRequest& request, Instant now) {
  const AgreementVersion* version = FindNamed(set, request, now);
  if (const auto field = FindMalformedField(request)) {
    return {Deny(ReasonCode::kMalformedRequest, version, {"request." + std::string(*field)}), {}};
  }
  if (version == nullptr) return {Deny(ReasonCode::kNoAgreement, nullptr, {}), {}};
  if (request.agreement->version != version->ref.version) {
    return {Deny(ReasonCode::kAgreementMismatch, version, {"version"}), {}};
  }
  if (request.agreement->sha256 != version->ref.sha256) {
    return {Deny(ReasonCode::kAgreementMismatch, version, {"sha256"}), {}};
  }
  if (auto denial = DenyByState(*version, now)) return {std::move(*denial), {}};
  if (auto denial = DenyByPeer(*version)) return {std::move(*denial), {}};
  if (auto denial = DenyByAttachment(*version, now)) return {std::move(*denial), {}};
  if (!HasDirection(*version, request)) {
    return {Deny(ReasonCode::kPartyNotCovered, version, {"permissions"}), {}};
  }
  if (auto denial = DenyByProhibition(*version, request)) return {std::move(*denial), {}};
  return ConsiderPermissions(*version, request);
}

Decision Conclude(Verdict verdict, const Usage& usage) {
  Decision decision = std::move(verdict.decision);
  if (!verdict.capacity) return decision;
  const Capacity& limits = verdict.capacity->limits;
  struct Counter {
    const std::optional<std::uint64_t>& used;
    std::uint64_t limit;
    std::string_view clause;
  };
  const std::array<Counter, 3> counters = {
      {{usage.probes_today, limits.probes_per_day, ".capacity"},
       {usage.officer_today, limits.per_officer_per_day, ".capacity.per_officer"},
       {usage.case_today, limits.per_case_per_day, ".capacity.per_case"}}};
  for (const Counter& counter : counters) {
    if (counter.used && *counter.used < counter.limit) continue;
    decision.code = counter.used ? ReasonCode::kCapacityExhausted : ReasonCode::kStateUnreadable;
    decision.clauses.push_back(verdict.capacity->clause + std::string(counter.clause));
    decision.hit_cap = 0;
    decision.releases.clear();
    decision.subject_categories = {};
    decision.alert_retention = {};
    return decision;
  }
  decision.code = ReasonCode::kPermit;
  return decision;
}

Decision Decide(const AgreementSet& set, const SearchRequest& request, const Usage& usage,
                Instant now) {
  return Conclude(Consider(set, request, now), usage);
}

}  // namespace comity::policy
