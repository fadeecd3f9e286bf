// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/base/bytes.h"
#include "policy/model/agreement.h"

namespace comity::policy {

// Which agreement a party says it acts under.
struct AgreementRef {
  AgreementId id;
  std::uint32_t version = 0;
  Digest sha256;
  auto operator<=>(const AgreementRef&) const = default;
};
AgreementRef RefOf(const Agreement& agreement);

// One search as both gateways decide it. Nothing in it has a default: an absent value is denied.
struct SearchRequest {
  AgencyId requester;
  AgencyId holder;
  std::optional<AgreementRef> agreement;  // absent: `no-agreement`
  std::optional<PurposeCode> purpose;
  std::optional<RequesterRole> role;
  std::optional<UseMode> use;
  std::optional<SearchMode> mode;
  std::vector<ListCategory> list_categories;  // those to be searched; empty is denied
  std::optional<EngineProfile> engine;
  std::optional<double> threshold;  // cosine; NaN is denied
  // Absent: no offence is stated, which a purpose with a floor denies.
  std::optional<OffenceClass> offence_class;
  // A case stands behind the search: its reference is kept at the requester, and the holder has a
  // commitment to it. Live: the deployment's case.
  bool has_case_reference = false;
};

// The reasons, a closed list; the names cross the wire (proto DecisionCode) and stand in the log.
enum class ReasonCode {
  kPermit,
  kMalformedRequest,     // a field is absent, unknown or out of range
  kNoAgreement,          // none between these agencies covers the request, or none was named
  kAgreementNotInForce,  // signatures or advice are missing
  kAgreementMismatch,    // the named version or hash is not the one in force here
  kAgreementSuspended,
  kAgreementTerminated,
  kAgreementRejected,       // a signatory refused this version
  kAgreementStatusDiffers,  // the other party says that it is suspended, terminated or rejected
  kAgreementNotYetValid,
  kAgreementExpired,
  kReviewOverdue,
  kAttachmentMissing,   // none of a kind that the regime demands
  kAttachmentNotValid,  // an attachment is expired or not yet valid
  kPartyNotCovered,     // requester or holder is not the permission's
  kPurposeNotCovered,
  kCaseReferenceMissing,  // the purpose demands a case, and none stands behind the search
  kOffenceBelowFloor,     // no offence is stated, or one below the purpose's seriousness floor
  kCategoryNotCovered,
  kRoleNotCovered,
  kUseNotCovered,
  kModeNotCovered,
  kEngineNotCovered,
  kThresholdBelowFloor,
  kProhibited,
  kCapacityExhausted,
  // Not of the agreement but of the moment: given by the gateway, never by Decide.
  kListNotCovered,    // a list is too old, too large, or not bound to this agreement and purpose
  kStopped,           // the stop control holds the deployment, the list or the partner
  kPartnerSuspended,  // the partner agency is suspended here
  kCatchUpRequired,   // the partner has not yet acknowledged every withdrawal
  kGatewayNotReady,   // a person must first confirm a restored or changed gateway
  kListChanged,       // a sealed list is not as the requester has it: fetch it and ask again
  kStaleBlock,        // a sealed block has no release left until it has been sealed again
  kOverCap,           // a sealed probe met more entries than may be, or was not an honest one
  kListNotReceived,   // the requester has no sealed copy that may be searched
  kStateUnreadable,   // a counter or record needed for the decision could not be read
};

std::string_view Name(ReasonCode code);  // "capacity-exhausted"
std::optional<ReasonCode> ParseReasonCode(std::string_view text);

// The answer to a request: always one of permit or deny, always with what decided.
struct Decision {
  ReasonCode code = ReasonCode::kStateUnreadable;  // fail closed
  std::optional<AgreementRef> agreement;           // absent only when none could be named
  std::vector<std::string> clauses;                // ids that decided, most specific last
  // The permission's bounds; set only on a permit.
  std::uint32_t hit_cap = 0;
  std::vector<Release> releases;  // the only items that may leave; seen by these roles
  TermSet<SubjectCategory> subject_categories;  // entries of others must not match
  std::chrono::seconds alert_retention{};

  bool permitted() const { return code == ReasonCode::kPermit; }
  bool operator==(const Decision&) const = default;
};

}  // namespace comity::policy
