// SPDX-License-Identifier: Apache-2.0
#include "policy/decide/decide.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "crypto/base/encoding.h"
#include "policy/decide/request_form.h"

namespace comity::policy {
namespace {

// A clause list crosses the wire with at most this many ids (proto Decision.clauses).
constexpr std::size_t kMaxClauses = 16;

Decision Deny(ReasonCode code, const AgreementVersion* version, std::vector<std::string> clauses) {
  Decision decision;
  decision.code = code;
  if (version != nullptr) decision.agreement = version->ref;
  decision.clauses = std::move(clauses);
  return decision;
}

template <typename T>
bool Contains(const std::vector<T>& values, const T& value) {
  return std::find(values.begin(), values.end(), value) != values.end();
}

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

std::string StatementClause(std::string_view kind, const Digest& id) {
  constexpr std::size_t kShortId = 8;  // octets, as people see ids elsewhere
  return std::string(kind) + ":" + EncodeHex(id.view().first(kShortId));
}

std::vector<std::string> SuspensionClauses(const StatementState& state) {
  std::vector<std::string> clauses;
  for (const OpenSuspension& suspension : state.suspensions) {
    if (clauses.size() == kMaxClauses) break;
    clauses.push_back(StatementClause("suspension", suspension.id));
  }
  return clauses;
}

std::optional<Decision> DenyByState(const AgreementVersion& version, Instant now) {
  switch (StatusAt(version.agreement, version.state, now)) {
    case AgreementStatus::kInForce:
      return std::nullopt;
    case AgreementStatus::kTerminated:
      return Deny(ReasonCode::kAgreementTerminated, &version,
                  {StatementClause("termination", version.state.termination.value_or(Digest{}))});
    case AgreementStatus::kSuspended:
      return Deny(ReasonCode::kAgreementSuspended, &version, SuspensionClauses(version.state));
    case AgreementStatus::kNotYetValid:
      return Deny(ReasonCode::kAgreementNotYetValid, &version, {"effective_from"});
    case AgreementStatus::kExpired:
      return Deny(ReasonCode::kAgreementExpired, &version, {"effective_until"});
    case AgreementStatus::kReviewOverdue:
      return Deny(ReasonCode::kReviewOverdue, &version, {"review_by"});
    case AgreementStatus::kDrafted:
      return Deny(ReasonCode::kAgreementNotInForce, &version, {"advice"});
    case AgreementStatus::kAdvised:
    case AgreementStatus::kSigned:
      return Deny(ReasonCode::kAgreementNotInForce, &version, {"signatures"});
    case AgreementStatus::kSuperseded:
      break;  // a property within a set, never one of a version by itself
  }
  return Deny(ReasonCode::kStateUnreadable, &version, {});
}

std::optional<Decision> DenyByAttachment(const AgreementVersion& version, Instant now) {
  if (!version.missing_attachments.empty()) {
    return Deny(ReasonCode::kAttachmentMissing, &version,
                {"attachments." + std::string(Name(version.missing_attachments.front()))});
  }
  for (const Attachment& attachment : version.agreement.attachments) {
    if (now < attachment.valid_from || now >= attachment.valid_until) {
      return Deny(ReasonCode::kAttachmentNotValid, &version, {"attachments." + attachment.id});
    }
  }
  return std::nullopt;
}

bool Forbids(const Prohibition& prohibition, const SearchRequest& request) {
  const auto in_categories = [&](const ListCategory& category) {
    return Contains(prohibition.list_categories, category);
  };
  return (prohibition.requesters.empty() || Contains(prohibition.requesters, request.requester)) &&
         (prohibition.purposes.empty() || Contains(prohibition.purposes, *request.purpose)) &&
         (prohibition.list_categories.empty() ||
          std::any_of(request.list_categories.begin(), request.list_categories.end(),
                      in_categories));
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

// The bounds of a permission in the order in which they are tried; kAll: every one is kept.
enum class Bound { kPurpose, kCategory, kRole, kUse, kMode, kEngine, kThreshold, kAll };

struct BoundName {
  ReasonCode code;
  std::string_view field;
};
BoundName Describe(Bound bound) {
  switch (bound) {
    case Bound::kPurpose:
      return {ReasonCode::kPurposeNotCovered, ".purposes"};
    case Bound::kCategory:
      return {ReasonCode::kCategoryNotCovered, ".list_categories"};
    case Bound::kRole:
      return {ReasonCode::kRoleNotCovered, ".roles"};
    case Bound::kUse:
      return {ReasonCode::kUseNotCovered, ".uses"};
    case Bound::kMode:
      return {ReasonCode::kModeNotCovered, ".mode"};
    case Bound::kEngine:
      return {ReasonCode::kEngineNotCovered, ".engine"};
    case Bound::kThreshold:
      return {ReasonCode::kThresholdBelowFloor, ".threshold_floor"};
    case Bound::kAll:
      break;
  }
  return {ReasonCode::kStateUnreadable, ""};
}

// The first bound that the request does not keep. The request is well formed: nothing is absent.
Bound FirstBroken(const SearchPermission& permission, const SearchRequest& request) {
  if (!Contains(permission.purposes, *request.purpose)) return Bound::kPurpose;
  for (const ListCategory& category : request.list_categories) {
    if (!Contains(permission.list_categories, category)) return Bound::kCategory;
  }
  if (!Contains(permission.roles, *request.role)) return Bound::kRole;
  if (!Contains(permission.uses, *request.use)) return Bound::kUse;
  if (permission.mode != *request.mode) return Bound::kMode;
  if (permission.engine != *request.engine) return Bound::kEngine;
  // Written so that a NaN on either side is below.
  if (!(*request.threshold >= permission.threshold_floor)) return Bound::kThreshold;
  return Bound::kAll;
}

Verdict PermitInWaiting(const AgreementVersion& version, const SearchPermission& permission) {
  Verdict verdict;
  verdict.decision = Deny(ReasonCode::kStateUnreadable, &version, {permission.id});
  verdict.decision.hit_cap = permission.hit_cap;
  verdict.decision.releases = permission.releases;
  verdict.decision.alert_retention = version.agreement.retention.alert;
  verdict.capacity = {version.ref.id, permission.id, permission.probes_per_day};
  return verdict;
}

Verdict ConsiderPermissions(const AgreementVersion& version, const SearchRequest& request) {
  const SearchPermission* nearest = nullptr;
  Bound furthest = Bound::kPurpose;
  for (const SearchPermission& permission : version.agreement.permissions) {
    if (permission.requester != request.requester || permission.holder != request.holder) continue;
    const Bound broken = FirstBroken(permission, request);
    if (broken == Bound::kAll) return PermitInWaiting(version, permission);
    if (nearest != nullptr && broken <= furthest) continue;
    nearest = &permission;
    furthest = broken;
  }
  if (nearest == nullptr) {
    return {Deny(ReasonCode::kPartyNotCovered, &version, {"permissions"}), std::nullopt};
  }
  const BoundName reason = Describe(furthest);
  return {Deny(reason.code, &version, {nearest->id, nearest->id + std::string(reason.field)}),
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
  if (usage.probes_today && *usage.probes_today < verdict.capacity->probes_per_day) {
    decision.code = ReasonCode::kPermit;
    return decision;
  }
  decision.code =
      usage.probes_today ? ReasonCode::kCapacityExhausted : ReasonCode::kStateUnreadable;
  decision.clauses.push_back(verdict.capacity->clause + ".capacity");
  decision.hit_cap = 0;
  decision.releases.clear();
  decision.alert_retention = {};
  return decision;
}

Decision Decide(const AgreementSet& set, const SearchRequest& request, const Usage& usage,
                Instant now) {
  return Conclude(Consider(set, request, now), usage);
}

}  // namespace comity::policy
