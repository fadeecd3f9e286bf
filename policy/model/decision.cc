// SPDX-License-Identifier: Apache-2.0
#include "policy/model/decision.h"

#include <array>
#include <utility>

namespace comity::policy {
namespace {

constexpr std::array<std::pair<ReasonCode, std::string_view>, 36> kReasonCodes = {{
    {ReasonCode::kPermit, "permit"},
    {ReasonCode::kMalformedRequest, "malformed-request"},
    {ReasonCode::kNoAgreement, "no-agreement"},
    {ReasonCode::kAgreementNotInForce, "agreement-not-in-force"},
    {ReasonCode::kAgreementMismatch, "agreement-mismatch"},
    {ReasonCode::kAgreementSuspended, "agreement-suspended"},
    {ReasonCode::kAgreementTerminated, "agreement-terminated"},
    {ReasonCode::kAgreementRejected, "agreement-rejected"},
    {ReasonCode::kAgreementStatusDiffers, "agreement-status-differs"},
    {ReasonCode::kAgreementNotYetValid, "agreement-not-yet-valid"},
    {ReasonCode::kAgreementExpired, "agreement-expired"},
    {ReasonCode::kReviewOverdue, "review-overdue"},
    {ReasonCode::kAttachmentMissing, "attachment-missing"},
    {ReasonCode::kAttachmentNotValid, "attachment-not-valid"},
    {ReasonCode::kPartyNotCovered, "party-not-covered"},
    {ReasonCode::kPurposeNotCovered, "purpose-not-covered"},
    {ReasonCode::kCaseReferenceMissing, "case-reference-missing"},
    {ReasonCode::kOffenceBelowFloor, "offence-below-floor"},
    {ReasonCode::kCategoryNotCovered, "category-not-covered"},
    {ReasonCode::kRoleNotCovered, "role-not-covered"},
    {ReasonCode::kUseNotCovered, "use-not-covered"},
    {ReasonCode::kModeNotCovered, "mode-not-covered"},
    {ReasonCode::kEngineNotCovered, "engine-not-covered"},
    {ReasonCode::kThresholdBelowFloor, "threshold-below-floor"},
    {ReasonCode::kProhibited, "prohibited"},
    {ReasonCode::kCapacityExhausted, "capacity-exhausted"},
    {ReasonCode::kListNotCovered, "list-not-covered"},
    {ReasonCode::kStopped, "stopped"},
    {ReasonCode::kPartnerSuspended, "partner-suspended"},
    {ReasonCode::kCatchUpRequired, "catch-up-required"},
    {ReasonCode::kGatewayNotReady, "gateway-not-ready"},
    {ReasonCode::kListChanged, "list-changed"},
    {ReasonCode::kStaleBlock, "stale-block"},
    {ReasonCode::kOverCap, "over-cap"},
    {ReasonCode::kListNotReceived, "list-not-received"},
    {ReasonCode::kStateUnreadable, "state-unreadable"},
}};

}  // namespace

AgreementRef RefOf(const Agreement& agreement) {
  return {agreement.id, agreement.version, agreement.sha256};
}

std::string_view Name(ReasonCode code) {
  for (const auto& [known, name] : kReasonCodes) {
    if (known == code) return name;
  }
  return "unknown";
}

std::optional<ReasonCode> ParseReasonCode(std::string_view text) {
  for (const auto& [code, name] : kReasonCodes) {
    if (name == text) return code;
  }
  return std::nullopt;
}

}  // namespace comity::policy
