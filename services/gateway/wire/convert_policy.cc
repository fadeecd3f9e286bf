// SPDX-License-Identifier: Apache-2.0
#include "services/gateway/wire/convert_policy.h"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

namespace comity::gateway {
namespace {

using policy::ReasonCode;

constexpr int kMaxCategories = 16;
constexpr int kMaxClauses = 16;
constexpr std::size_t kMaxTextBytes = 64;

constexpr std::array kCodes = {
    std::pair{ReasonCode::kPermit, v1::DECISION_CODE_PERMIT},
    std::pair{ReasonCode::kMalformedRequest, v1::DECISION_CODE_MALFORMED_REQUEST},
    std::pair{ReasonCode::kNoAgreement, v1::DECISION_CODE_NO_AGREEMENT},
    std::pair{ReasonCode::kAgreementNotInForce, v1::DECISION_CODE_AGREEMENT_NOT_IN_FORCE},
    std::pair{ReasonCode::kAgreementMismatch, v1::DECISION_CODE_AGREEMENT_MISMATCH},
    std::pair{ReasonCode::kAgreementSuspended, v1::DECISION_CODE_AGREEMENT_SUSPENDED},
    std::pair{ReasonCode::kAgreementTerminated, v1::DECISION_CODE_AGREEMENT_TERMINATED},
    std::pair{ReasonCode::kAgreementNotYetValid, v1::DECISION_CODE_AGREEMENT_NOT_YET_VALID},
    std::pair{ReasonCode::kAgreementExpired, v1::DECISION_CODE_AGREEMENT_EXPIRED},
    std::pair{ReasonCode::kReviewOverdue, v1::DECISION_CODE_REVIEW_OVERDUE},
    std::pair{ReasonCode::kAttachmentMissing, v1::DECISION_CODE_ATTACHMENT_MISSING},
    std::pair{ReasonCode::kAttachmentNotValid, v1::DECISION_CODE_ATTACHMENT_NOT_VALID},
    std::pair{ReasonCode::kPartyNotCovered, v1::DECISION_CODE_PARTY_NOT_COVERED},
    std::pair{ReasonCode::kPurposeNotCovered, v1::DECISION_CODE_PURPOSE_NOT_COVERED},
    std::pair{ReasonCode::kCategoryNotCovered, v1::DECISION_CODE_CATEGORY_NOT_COVERED},
    std::pair{ReasonCode::kRoleNotCovered, v1::DECISION_CODE_ROLE_NOT_COVERED},
    std::pair{ReasonCode::kUseNotCovered, v1::DECISION_CODE_USE_NOT_COVERED},
    std::pair{ReasonCode::kModeNotCovered, v1::DECISION_CODE_MODE_NOT_COVERED},
    std::pair{ReasonCode::kEngineNotCovered, v1::DECISION_CODE_ENGINE_NOT_COVERED},
    std::pair{ReasonCode::kThresholdBelowFloor, v1::DECISION_CODE_THRESHOLD_BELOW_FLOOR},
    std::pair{ReasonCode::kProhibited, v1::DECISION_CODE_PROHIBITED},
    std::pair{ReasonCode::kCapacityExhausted, v1::DECISION_CODE_CAPACITY_EXHAUSTED},
    std::pair{ReasonCode::kStateUnreadable, v1::DECISION_CODE_STATE_UNREADABLE},
    std::pair{ReasonCode::kAgreementRejected, v1::DECISION_CODE_AGREEMENT_REJECTED},
    std::pair{ReasonCode::kAgreementStatusDiffers, v1::DECISION_CODE_AGREEMENT_STATUS_DIFFERS},
    std::pair{ReasonCode::kCaseReferenceMissing, v1::DECISION_CODE_CASE_REFERENCE_MISSING},
    std::pair{ReasonCode::kOffenceBelowFloor, v1::DECISION_CODE_OFFENCE_BELOW_FLOOR},
    std::pair{ReasonCode::kListNotCovered, v1::DECISION_CODE_LIST_NOT_COVERED},
    std::pair{ReasonCode::kStopped, v1::DECISION_CODE_STOPPED},
    std::pair{ReasonCode::kPartnerSuspended, v1::DECISION_CODE_PARTNER_SUSPENDED},
    std::pair{ReasonCode::kCatchUpRequired, v1::DECISION_CODE_CATCH_UP_REQUIRED},
    std::pair{ReasonCode::kGatewayNotReady, v1::DECISION_CODE_GATEWAY_NOT_READY},
    std::pair{ReasonCode::kListChanged, v1::DECISION_CODE_LIST_CHANGED},
    std::pair{ReasonCode::kStaleBlock, v1::DECISION_CODE_STALE_BLOCK},
    std::pair{ReasonCode::kOverCap, v1::DECISION_CODE_OVER_CAP},
    std::pair{ReasonCode::kListNotReceived, v1::DECISION_CODE_LIST_NOT_RECEIVED},
};
// One row a code, on both sides: a new code does not compile until it has one.
static_assert(kCodes.size() == static_cast<std::size_t>(ReasonCode::kStateUnreadable) + 1);
static_assert(kCodes.size() == static_cast<std::size_t>(v1::DecisionCode_MAX));

bool IsName(const std::string& text) {
  return !text.empty() && text.size() <= kMaxTextBytes &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= 0x20 && c < 0x7f; });
}

std::optional<policy::RequesterRole> RoleFrom(v1::RequesterRole role) {
  if (role == v1::REQUESTER_ROLE_ENGINE) return policy::RequesterRole::kEngine;
  if (role == v1::REQUESTER_ROLE_OPERATOR) return policy::RequesterRole::kOperator;
  return std::nullopt;
}

std::optional<policy::UseMode> UseFrom(v1::UseMode use) {
  if (use == v1::USE_MODE_LIVE) return policy::UseMode::kLive;
  if (use == v1::USE_MODE_RETROSPECTIVE) return policy::UseMode::kRetrospective;
  return std::nullopt;
}

constexpr std::array kOffenceClasses = {
    std::pair{policy::OffenceClass::kBelow1Year, v1::OFFENCE_CLASS_BELOW_1_YEAR},
    std::pair{policy::OffenceClass::k1To4Years, v1::OFFENCE_CLASS_1_TO_4_YEARS},
    std::pair{policy::OffenceClass::k4YearsOrMore, v1::OFFENCE_CLASS_4_YEARS_OR_MORE},
};

// An unknown class is none: a purpose with a floor denies it.
std::optional<policy::OffenceClass> OffenceClassFrom(v1::OffenceClass proto) {
  for (const auto& [offence, wire] : kOffenceClasses) {
    if (wire == proto) return offence;
  }
  return std::nullopt;
}

v1::OffenceClass ToProtoOffence(const std::optional<policy::OffenceClass>& offence) {
  for (const auto& [known, wire] : kOffenceClasses) {
    if (known == offence) return wire;
  }
  return v1::OFFENCE_CLASS_UNSPECIFIED;
}

template <typename Value>
std::optional<Value> ToOptional(Result<Value> result) {
  return result ? std::optional<Value>(*std::move(result)) : std::nullopt;
}

}  // namespace

v1::AgreementRef ToProto(const policy::AgreementRef& reference) {
  v1::AgreementRef proto;
  proto.set_id(reference.id.text());
  proto.set_version(reference.version);
  proto.set_sha256(reference.sha256.bytes.data(), reference.sha256.bytes.size());
  return proto;
}

Result<policy::AgreementRef> FromProto(const v1::AgreementRef& proto) {
  policy::AgreementRef reference;
  COMITY_ASSIGN_OR_RETURN(reference.id, policy::AgreementId::Parse(proto.id()));
  reference.version = proto.version();
  if (proto.version() == 0 || proto.sha256().size() != Digest::kSize) {
    return Fail(ErrorCode::kInvalidArgument,
                "an agreement reference has a version from 1 and a SHA-256 of 32 octets");
  }
  std::copy(proto.sha256().begin(), proto.sha256().end(), reference.sha256.bytes.begin());
  return reference;
}

v1::EngineProfile ToProto(const policy::EngineProfile& profile) {
  v1::EngineProfile proto;
  proto.set_name(profile.name);
  proto.set_version(profile.version);
  proto.set_dimension(profile.dimension);
  return proto;
}

Result<policy::EngineProfile> FromProto(const v1::EngineProfile& proto) {
  if (!IsName(proto.name()) || !IsName(proto.version())) {
    return Fail(ErrorCode::kInvalidArgument,
                "engine.name and engine.version have 1 to 64 printable ASCII characters");
  }
  if (proto.dimension() < policy::EngineProfile::kMinDimension ||
      proto.dimension() > policy::EngineProfile::kMaxDimension) {
    return Fail(ErrorCode::kInvalidArgument, "engine.dimension is 32 to 2048");
  }
  return policy::EngineProfile{proto.name(), proto.version(), proto.dimension()};
}

v1::SearchMode ToProto(policy::SearchMode mode) {
  return mode == policy::SearchMode::kDirect ? v1::SEARCH_MODE_DIRECT : v1::SEARCH_MODE_SEALED;
}

Result<policy::SearchMode> FromProto(v1::SearchMode mode) {
  if (mode == v1::SEARCH_MODE_DIRECT) return policy::SearchMode::kDirect;
  if (mode == v1::SEARCH_MODE_SEALED) return policy::SearchMode::kSealed;
  return Fail(ErrorCode::kInvalidArgument, "mode is direct or sealed");
}

v1::RequesterRole ToProto(policy::RequesterRole role) {
  return role == policy::RequesterRole::kEngine ? v1::REQUESTER_ROLE_ENGINE
                                                : v1::REQUESTER_ROLE_OPERATOR;
}

v1::UseMode ToProto(policy::UseMode use) {
  return use == policy::UseMode::kLive ? v1::USE_MODE_LIVE : v1::USE_MODE_RETROSPECTIVE;
}

v1::Decision ToProto(const policy::Decision& decision) {
  v1::Decision proto;
  for (const auto& [code, wire] : kCodes) {
    if (code == decision.code) proto.set_code(wire);
  }
  if (decision.agreement) *proto.mutable_agreement() = ToProto(*decision.agreement);
  for (const std::string& clause : decision.clauses) {
    if (proto.clauses_size() < kMaxClauses) proto.add_clauses(clause);
  }
  return proto;
}

policy::Decision FromProto(const v1::Decision& proto) {
  policy::Decision decision;
  decision.code = ReasonCode::kMalformedRequest;
  for (const auto& [code, wire] : kCodes) {
    if (wire == proto.code()) decision.code = code;
  }
  if (proto.has_agreement()) decision.agreement = ToOptional(FromProto(proto.agreement()));
  for (const std::string& clause : proto.clauses()) {
    // No log entry can hold a quote or a backslash; a hit under such a clause would be lost.
    const bool is_clause = IsName(clause) && clause.find_first_of("\"\\") == std::string::npos;
    if (decision.clauses.size() < kMaxClauses && is_clause) decision.clauses.push_back(clause);
  }
  return decision;
}

v1::SearchTerms ToProto(const policy::SearchRequest& request) {
  v1::SearchTerms proto;
  if (request.agreement) *proto.mutable_agreement() = ToProto(*request.agreement);
  if (request.purpose) proto.set_purpose(request.purpose->text());
  if (request.role) proto.set_role(ToProto(*request.role));
  if (request.use) proto.set_use(ToProto(*request.use));
  if (request.mode) proto.set_mode(ToProto(*request.mode));
  for (const auto& category : request.list_categories) proto.add_list_categories(category.text());
  if (request.engine) *proto.mutable_engine() = ToProto(*request.engine);
  if (request.threshold) proto.set_threshold(*request.threshold);
  proto.set_offence_class(ToProtoOffence(request.offence_class));
  return proto;
}

Result<policy::SearchRequest> FromProto(const v1::SearchTerms& proto,
                                        const policy::AgencyId& requester,
                                        const policy::AgencyId& holder) {
  if (proto.list_categories_size() > kMaxCategories) {
    return Fail(ErrorCode::kInvalidArgument, "terms.list_categories has at most 16 entries");
  }
  policy::SearchRequest request;
  request.requester = requester;
  request.holder = holder;
  if (proto.has_agreement()) request.agreement = ToOptional(FromProto(proto.agreement()));
  request.purpose = ToOptional(policy::PurposeCode::Parse(proto.purpose()));
  request.role = RoleFrom(proto.role());
  request.use = UseFrom(proto.use());
  request.mode = ToOptional(FromProto(proto.mode()));
  for (const std::string& text : proto.list_categories()) {
    auto category = policy::ListCategory::Parse(text);
    // One unreadable category makes the whole request unanswerable: an empty list is denied.
    if (!category) {
      request.list_categories.clear();
      break;
    }
    request.list_categories.push_back(*std::move(category));
  }
  if (proto.has_engine()) request.engine = ToOptional(FromProto(proto.engine()));
  // An absent number reads as 0, which no deployment may have either.
  if (proto.threshold() != 0) request.threshold = proto.threshold();
  request.offence_class = OffenceClassFrom(proto.offence_class());
  return request;
}

}  // namespace comity::gateway
