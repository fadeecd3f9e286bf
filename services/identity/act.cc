// SPDX-License-Identifier: Apache-2.0
#include "services/identity/act.h"

#include <array>
#include <string>

namespace comity::identity {
namespace {

using enum Role;

constexpr RoleSet kEveryone{kOperator,  kAdjudicator, kSupervisor,    kReleaseOfficer,  kDpo,
                            kSignatory, kAuditor,     kAdministrator, kKeyAdministrator};
constexpr RoleSet kAdministrators{kAdministrator};
constexpr RoleSet kTrustKeepers{kAdministrator, kKeyAdministrator};
constexpr RoleSet kOverseers{kSupervisor, kReleaseOfficer, kDpo, kSignatory, kAuditor};
constexpr RoleSet kSuspenders{kSupervisor, kReleaseOfficer, kDpo, kSignatory, kKeyAdministrator};
constexpr RoleSet kStoppers{kOperator, kAdjudicator, kSupervisor,
                            kDpo,      kSignatory,   kKeyAdministrator};
constexpr RoleSet kListReaders{kOperator, kAdjudicator, kSupervisor, kDpo, kSignatory, kAuditor};
constexpr RoleSet kListKeepers{kOperator, kSupervisor};
constexpr RoleSet kNobody{};

constexpr std::array kRules{
    ActRule{Act::kPersonRead,
            "person-read",
            {kSupervisor, kDpo, kSignatory, kAuditor, kAdministrator, kKeyAdministrator},
            kNobody,
            false,
            "see the agency's people and their roles"},
    ActRule{Act::kPersonAdd, "person-add", kAdministrators, kAdministrators, false, "add a person"},
    ActRule{Act::kPersonRole, "person-role", kAdministrators, kAdministrators, false,
            "change a person's roles or keys"},
    ActRule{Act::kPersonRevoke, "person-revoke", kAdministrators, kNobody, false,
            "end a person's access"},
    ActRule{Act::kPersonRevokePrivileged, "person-revoke-privileged", kAdministrators,
            kTrustKeepers, false, "end the access of a person with a privileged role"},

    ActRule{Act::kPeerRead,
            "peer-read",
            {kSupervisor, kReleaseOfficer, kDpo, kSignatory, kAuditor, kAdministrator,
             kKeyAdministrator},
            kNobody,
            false,
            "see partner agencies and their keys"},
    ActRule{Act::kPeerInvite, "peer-invite", kTrustKeepers, kNobody, false,
            "make the card by which a partner enrols this agency"},
    ActRule{Act::kPeerEnrol, "peer-enrol", kTrustKeepers, kTrustKeepers, false,
            "enrol a partner agency"},
    ActRule{Act::kPeerRekey, "peer-rekey", kTrustKeepers, kTrustKeepers, false,
            "replace a partner's keys or address"},
    ActRule{Act::kPeerSuspend, "peer-suspend", kSuspenders, kNobody, false,
            "suspend a partner at once"},
    ActRule{Act::kPeerResume,
            "peer-resume",
            kSuspenders,
            {kSignatory},
            false,
            "resume a suspended partner"},
    ActRule{Act::kPeerRemove, "peer-remove", kTrustKeepers, kTrustKeepers, false,
            "remove a partner"},

    ActRule{Act::kCertificateRead,
            "certificate-read",
            {kSupervisor, kReleaseOfficer, kDpo, kSignatory, kAuditor, kAdministrator,
             kKeyAdministrator},
            kNobody,
            false,
            "see which certificates and keys this gateway has revoked"},
    // As a suspension: one person in the emergency, and back only with the signatory.
    ActRule{Act::kCertificateRevoke, "certificate-revoke", kSuspenders, kNobody, false,
            "revoke a certificate or a key at this gateway at once"},
    ActRule{Act::kCertificateReinstate,
            "certificate-reinstate",
            kSuspenders,
            {kSignatory},
            false,
            "take a revoked certificate or key again"},

    ActRule{Act::kAgreementRead, "agreement-read", kOverseers, kNobody, false, "read agreements"},
    ActRule{Act::kAgreementDraft,
            "agreement-draft",
            {kDpo},
            kNobody,
            false,
            "propose an agreement or a new version of one"},
    ActRule{Act::kAgreementAdvise,
            "agreement-advise",
            {kDpo},
            kNobody,
            false,
            "advise on an agreement"},
    // Two by its nature: every party's document names at least two signatories, and all must sign.
    ActRule{Act::kAgreementSign,
            "agreement-sign",
            {kSignatory},
            kNobody,
            false,
            "sign, reject, resume or terminate an agreement"},
    ActRule{Act::kAgreementReview,
            "agreement-review",
            {kDpo, kSignatory},
            kNobody,
            false,
            "say that an agreement was reviewed"},
    ActRule{Act::kAgreementSuspend, "agreement-suspend", kSuspenders, kNobody, false,
            "suspend an agreement at once"},
    ActRule{Act::kAgreementExplain,
            "agreement-explain",
            {kOperator, kSupervisor, kReleaseOfficer, kDpo, kSignatory, kAuditor},
            kNobody,
            false,
            "ask what would be decided, and why"},

    ActRule{Act::kWatchlistRead, "watchlist-read", kListReaders, kNobody, false,
            "see lists, counts and states, without faces"},
    ActRule{Act::kWatchlistDraft,
            "watchlist-draft",
            {kOperator},
            kNobody,
            false,
            "draft a list or add entries to a draft"},
    ActRule{Act::kWatchlistApprove,
            "watchlist-approve",
            kListKeepers,
            {kSupervisor},
            true,
            "approve a list"},
    ActRule{Act::kWatchlistClose,
            "watchlist-close",
            {kSupervisor},
            kNobody,
            false,
            "close a list and delete its faces"},
    ActRule{Act::kWatchlistShred,
            "watchlist-shred",
            {kSupervisor},
            kNobody,
            false,
            "destroy the keys of a list's sealed copies"},
    ActRule{Act::kWatchlistAudit,
            "watchlist-audit",
            {kAuditor},
            kNobody,
            false,
            "check that a list's sealed copies hold its entries"},
    ActRule{Act::kEntryApprove,
            "entry-approve",
            {kSupervisor},
            {kSupervisor},
            true,
            "approve altered entries, and those of victims, witnesses, associates, children or "
            "vulnerable people"},
    ActRule{Act::kEntryRead,
            "entry-read",
            {kOperator, kSupervisor, kDpo, kAuditor},
            kNobody,
            false,
            "read what an entry says, without its face"},
    ActRule{Act::kEntryWithdraw,
            "entry-withdraw",
            {kOperator, kSupervisor, kDpo},
            kNobody,
            false,
            "withdraw an entry"},
    ActRule{Act::kEntryCorrect, "entry-correct", kListKeepers, kNobody, false, "correct an entry"},
    ActRule{Act::kEntryRestrict,
            "entry-restrict",
            {kOperator, kSupervisor, kDpo},
            kNobody,
            false,
            "restrict an entry, or mark it contested"},
    ActRule{Act::kEntryUnrestrict,
            "entry-unrestrict",
            kListKeepers,
            {kSupervisor},
            false,
            "lift the restriction of an entry"},
    ActRule{Act::kManifestRead,
            "manifest-read",
            {kDpo, kAuditor},
            kNobody,
            false,
            "ask whether a reference was on a list on a day"},
    ActRule{Act::kHoldingRead, "holding-read", kListReaders, kNobody, false,
            "see who still holds an entry"},

    ActRule{Act::kDeploymentRead, "deployment-read", kListReaders, kNobody, false,
            "see deployments"},
    ActRule{Act::kDeploymentStart,
            "deployment-start",
            kListKeepers,
            {kSupervisor},
            true,
            "start a deployment"},
    ActRule{Act::kDeploymentStop, "deployment-stop", kStoppers, kNobody, false,
            "stop a deployment at once"},
    ActRule{Act::kThresholdLower,
            "threshold-lower",
            {kSupervisor},
            {kSupervisor},
            false,
            "lower the threshold or raise the false-alert budget of a deployment"},
    ActRule{Act::kOfferRead,
            "offer-read",
            {kOperator, kSupervisor, kDpo, kSignatory, kAuditor},
            kNobody,
            false,
            "see what partners offer for searching"},
    ActRule{Act::kSearchIdentify, "search-identify", kListKeepers, kNobody, false,
            "search once, for a case"},

    ActRule{Act::kAlertRead,
            "alert-read",
            {kOperator, kAdjudicator, kSupervisor},
            kNobody,
            false,
            "see alerts"},
    ActRule{Act::kAlertAdjudicate,
            "alert-adjudicate",
            {kAdjudicator},
            kNobody,
            false,
            "adjudicate an alert"},
    ActRule{Act::kAlertOpen,
            "alert-open",
            {kAuditor},
            kNobody,
            false,
            "open the sealed probes behind an alert, for a stated reason"},

    ActRule{Act::kStopSet, "stop-set", kStoppers, kNobody, false,
            "stop a deployment, a list, a partner or an agreement's searches at once"},
    ActRule{Act::kStopRead, "stop-read", kEveryone, kNobody, false, "see what is stopped"},
    ActRule{Act::kStopLift,
            "stop-lift",
            {kSupervisor, kSignatory},
            {kSupervisor, kSignatory},
            false,
            "lift a stop"},

    ActRule{Act::kApprovalRead, "approval-read", kEveryone, kNobody, false,
            "see acts that wait for a second person"},
    ActRule{Act::kApprovalDecide, "approval-decide", kEveryone, kNobody, false,
            "approve or reject an act, if its own rule says so"},
    ActRule{Act::kUrgentReview,
            "urgent-review",
            {kSupervisor},
            kNobody,
            false,
            "review an act that one person carried out in an emergency"},
    ActRule{Act::kNoticeRead, "notice-read", kEveryone, kNobody, false,
            "see and acknowledge the notices for one's roles"},

    ActRule{Act::kAuditExport,
            "audit-export",
            {kDpo, kAuditor, kKeyAdministrator},
            kNobody,
            false,
            "export the log (without identities)"},
    ActRule{Act::kAuditProve,
            "audit-prove",
            {kSupervisor, kDpo, kAuditor, kKeyAdministrator},
            kNobody,
            false,
            "make receipts for log entries"},
    ActRule{Act::kAuditOpen,
            "audit-open",
            {kAuditor, kKeyAdministrator},
            {kDpo},
            false,
            "open what the log only commits to, on a lawful request"},
    ActRule{Act::kRetentionRead, "retention-read", kOverseers, kNobody, false,
            "see what is due for erasure and what was erased"},
    ActRule{Act::kRetentionRun,
            "retention-run",
            {kDpo, kAdministrator},
            kNobody,
            false,
            "erase now what is due"},
    ActRule{Act::kRetentionHold,
            "retention-hold",
            {kSupervisor, kReleaseOfficer},
            {kDpo},
            false,
            "hold a record beyond its period"},
    ActRule{Act::kRetentionRelease,
            "retention-release",
            {kSupervisor, kReleaseOfficer},
            {kDpo},
            false,
            "release a held record for erasure"},
    ActRule{Act::kBackup, "backup", kTrustKeepers, kNobody, false, "make a backup"},
    ActRule{Act::kRestoreConfirm, "restore-confirm", kTrustKeepers, kTrustKeepers, false,
            "let a restored node work again"},
    ActRule{Act::kConfigurationAcknowledge, "configuration-acknowledge", kAdministrators,
            kAdministrators, false, "acknowledge a changed configuration"},
    ActRule{Act::kNodeStatus, "node-status", kEveryone, kNobody, false, "see the gateway's health"},
};

constexpr bool RowsAreInOrder() {
  for (std::size_t i = 0; i < kRules.size(); ++i) {
    if (kRules[i].act != static_cast<Act>(i)) return false;
  }
  return kRules.size() == static_cast<std::size_t>(Act::kNodeStatus) + 1;
}
static_assert(RowsAreInOrder());

}  // namespace

std::span<const ActRule> ActRules() {
  return kRules;
}

const ActRule& RuleOf(Act act) {
  return kRules.at(static_cast<std::size_t>(act));
}

std::string_view Name(Act act) {
  return RuleOf(act).name;
}

Result<Act> ParseAct(std::string_view name) {
  for (const ActRule& rule : kRules) {
    if (rule.name == name) return rule.act;
  }
  return Fail(ErrorCode::kInvalidArgument, "there is no act " + std::string(name));
}

}  // namespace comity::identity
