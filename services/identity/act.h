// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "crypto/base/result.h"
#include "services/identity/role.h"

namespace comity::identity {

// Every act that a person can do at a gateway: a closed list, one row each in act.cc, which is the
// roles matrix as data (domain study, part (c)). What has no row cannot be done.
enum class Act : std::uint8_t {
  // people
  kPersonRead,
  kPersonAdd,
  kPersonRole,
  kPersonRevoke,
  kPersonRevokePrivileged,
  // partners
  kPeerRead,
  kPeerInvite,
  kPeerEnrol,
  kPeerRekey,
  kPeerSuspend,
  kPeerResume,
  kPeerRemove,
  // certificates of partners, engines and people
  kCertificateRead,
  kCertificateRevoke,
  kCertificateReinstate,
  // agreements
  kAgreementRead,
  kAgreementDraft,
  kAgreementAdvise,
  kAgreementSign,
  kAgreementReview,
  kAgreementSuspend,
  kAgreementExplain,
  // watchlists
  kWatchlistRead,
  kWatchlistDraft,
  kWatchlistApprove,
  kWatchlistClose,
  kWatchlistShred,
  kWatchlistAudit,
  kEntryApprove,
  kEntryRead,
  kEntryWithdraw,
  kEntryCorrect,
  kEntryRestrict,
  kEntryUnrestrict,
  kManifestRead,
  kHoldingRead,
  // deployments and searches
  kDeploymentRead,
  kDeploymentStart,
  kDeploymentStop,
  kThresholdLower,
  kOfferRead,
  kSearchIdentify,
  // alerts
  kAlertRead,
  kAlertAdjudicate,
  kAlertOpen,
  // stop control
  kStopSet,
  kStopRead,
  kStopLift,
  // approvals and notices
  kApprovalRead,
  kApprovalDecide,  // the act in question says who: its approvers
  kUrgentReview,
  kNoticeRead,
  // log and node
  kAuditExport,
  kAuditProve,
  kAuditOpen,
  kRetentionRead,
  kRetentionRun,
  kRetentionHold,
  kRetentionRelease,
  kBackup,
  kRestoreConfirm,
  kConfigurationAcknowledge,
  kNodeStatus,
};

struct ActRule {
  Act act{};
  std::string_view name;  // "person-add": in the log, the store and on the wire
  RoleSet roles;          // who does it, or proposes it when it needs two
  RoleSet approvers;      // who approves it; empty: one person is enough
  bool urgent = false;    // may be carried out by one person in an emergency (HV-11)
  std::string_view words;

  bool needs_two() const { return !approvers.empty(); }
};

std::span<const ActRule> ActRules();  // in the order of Act
const ActRule& RuleOf(Act act);
std::string_view Name(Act act);
// Errors: kInvalidArgument  no act of this name
Result<Act> ParseAct(std::string_view name);

}  // namespace comity::identity
