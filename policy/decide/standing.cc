// SPDX-License-Identifier: Apache-2.0
#include "policy/decide/standing.h"

#include <string_view>
#include <utility>

#include "crypto/base/encoding.h"

namespace comity::policy {
namespace {

// A clause list crosses the wire with at most this many ids (proto Decision.clauses).
constexpr std::size_t kMaxClauses = 16;

std::string StatementClause(std::string_view kind, const Digest& id) {
  constexpr std::size_t kShortId = 8;  // octets, as people see ids elsewhere
  return std::string(kind) + ":" + EncodeHex(id.view().first(kShortId));
}

std::vector<std::string> SuspensionClauses(const StatementState& state, Instant now) {
  std::vector<std::string> clauses;
  for (const OpenSuspension& suspension : state.suspensions) {
    if (clauses.size() == kMaxClauses) break;
    if (now >= suspension.until) continue;
    clauses.push_back(StatementClause("suspension", suspension.id));
  }
  return clauses;
}

}  // namespace

Decision Deny(ReasonCode code, const AgreementVersion* version, std::vector<std::string> clauses) {
  Decision decision;
  decision.code = code;
  if (version != nullptr) decision.agreement = version->ref;
  decision.clauses = std::move(clauses);
  return decision;
}

std::optional<Decision> DenyByState(const AgreementVersion& version, Instant now) {
  switch (StatusAt(version.agreement, version.state, now)) {
    case AgreementStatus::kInForce:
      return std::nullopt;
    case AgreementStatus::kTerminated:
      return Deny(ReasonCode::kAgreementTerminated, &version,
                  {StatementClause("termination", version.state.termination->id)});
    case AgreementStatus::kRejected:
      return Deny(ReasonCode::kAgreementRejected, &version,
                  {StatementClause("rejection", *version.state.rejection)});
    case AgreementStatus::kSuspended:
      return Deny(ReasonCode::kAgreementSuspended, &version, SuspensionClauses(version.state, now));
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

// Both sides decide by the same statements; when the other one knows of something that stops the
// sharing and we do not yet, the stricter of the two holds. A word that is not understood may be
// one of those.
std::optional<Decision> DenyByPeer(const AgreementVersion& version) {
  if (!version.peer_word) return std::nullopt;
  const auto& status = version.peer_word->status;
  if (status && !StopsSharing(*status)) return std::nullopt;
  return Deny(ReasonCode::kAgreementStatusDiffers, &version,
              {"peer-status." + (status ? std::string(Name(*status)) : "unknown")});
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

bool IsUsable(const AgreementVersion& version, Instant now) {
  return !DenyByState(version, now) && !DenyByPeer(version) && !DenyByAttachment(version, now);
}

}  // namespace comity::policy
