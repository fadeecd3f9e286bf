// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <string_view>

#include "crypto/base/result.h"
#include "services/audit/journal.h"

namespace comity::audit {

// The closed list of what the log can say. An event of another type, or with a field that its type
// does not declare, is a fault of this program and is not recorded. docs/audit_events.md has one
// row for each type, in this order; a test compares the two.
inline constexpr std::string_view kGatewayStarted = "gateway-started";
inline constexpr std::string_view kGatewayStopped = "gateway-stopped";
inline constexpr std::string_view kAuthenticationRefused = "authentication-refused";
inline constexpr std::string_view kAuthorisationRefused = "authorisation-refused";
inline constexpr std::string_view kPeerMessageRefused = "peer-message-refused";
inline constexpr std::string_view kAgreementReceived = "agreement-received";
inline constexpr std::string_view kAgreementDelivered = "agreement-delivered";
inline constexpr std::string_view kStatementReceived = "statement-received";
inline constexpr std::string_view kStatementIssued = "statement-issued";
inline constexpr std::string_view kAgreementStatusLearned = "agreement-status-learned";
inline constexpr std::string_view kAgreementMarked = "agreement-marked";
inline constexpr std::string_view kWatchlistDrafted = "watchlist-drafted";
inline constexpr std::string_view kEntriesAdded = "entries-added";
inline constexpr std::string_view kImportRemoved = "import-removed";
inline constexpr std::string_view kWatchlistApproved = "watchlist-approved";
inline constexpr std::string_view kEntriesApproved = "entries-approved";
inline constexpr std::string_view kEntryRead = "entry-read";
inline constexpr std::string_view kEntryWithdrawn = "entry-withdrawn";
inline constexpr std::string_view kEntryCorrected = "entry-corrected";
inline constexpr std::string_view kEntryRestricted = "entry-restricted";
inline constexpr std::string_view kEntryUnrestricted = "entry-unrestricted";
inline constexpr std::string_view kEntriesExpired = "entries-expired";
inline constexpr std::string_view kWatchlistValidated = "watchlist-validated";
inline constexpr std::string_view kWatchlistClosed = "watchlist-closed";
inline constexpr std::string_view kWatchlistDeleted = "watchlist-deleted";
inline constexpr std::string_view kSealedListPublished = "sealed-list-published";
inline constexpr std::string_view kSealedListWithdrawn = "sealed-list-withdrawn";
inline constexpr std::string_view kSealedListShredded = "sealed-list-shredded";
inline constexpr std::string_view kSealedListAcknowledged = "sealed-list-acknowledged";
inline constexpr std::string_view kSealedCopyErased = "sealed-copy-erased";
inline constexpr std::string_view kSealedListAudited = "sealed-list-audited";
inline constexpr std::string_view kManifestRead = "manifest-read";
inline constexpr std::string_view kDeploymentCreated = "deployment-created";
inline constexpr std::string_view kDeploymentChanged = "deployment-changed";
inline constexpr std::string_view kDeploymentActivated = "deployment-activated";
inline constexpr std::string_view kListsValidated = "lists-validated";
inline constexpr std::string_view kDeploymentStopped = "deployment-stopped";
inline constexpr std::string_view kDeploymentOver = "deployment-over";
inline constexpr std::string_view kDeploymentClosed = "deployment-closed";
inline constexpr std::string_view kStopSet = "stop-set";
inline constexpr std::string_view kStopLifted = "stop-lifted";
inline constexpr std::string_view kAlarmRaised = "alarm-raised";
inline constexpr std::string_view kSearchOpened = "search-opened";
inline constexpr std::string_view kSearchPeriod = "search-period";
inline constexpr std::string_view kSearchClosed = "search-closed";
inline constexpr std::string_view kSearchRefused = "search-refused";
inline constexpr std::string_view kSearchHit = "search-hit";
inline constexpr std::string_view kSearchJustified = "search-justified";
inline constexpr std::string_view kOffersRead = "offers-read";
inline constexpr std::string_view kOffersShown = "offers-shown";
inline constexpr std::string_view kSealedListReceived = "sealed-list-received";
inline constexpr std::string_view kSealedListErased = "sealed-list-erased";
inline constexpr std::string_view kCapacityReserved = "capacity-reserved";
inline constexpr std::string_view kAlertRaised = "alert-raised";
inline constexpr std::string_view kAlertsRead = "alerts-read";
inline constexpr std::string_view kAlertOpened = "alert-opened";
inline constexpr std::string_view kAlertAcknowledged = "alert-acknowledged";
inline constexpr std::string_view kAlertsErased = "alerts-erased";
inline constexpr std::string_view kAlertsChanged = "alerts-changed";
inline constexpr std::string_view kPartnerMessageQueued = "partner-message-queued";
inline constexpr std::string_view kPartnerMessageReceived = "partner-message-received";
inline constexpr std::string_view kPartnerMessageRefused = "partner-message-refused";
inline constexpr std::string_view kReceiptReceived = "receipt-received";
inline constexpr std::string_view kPartnerMessagesDropped = "partner-messages-dropped";
inline constexpr std::string_view kDeletionStarted = "deletion-started";
inline constexpr std::string_view kDeletionDone = "deletion-done";
inline constexpr std::string_view kAuditExported = "audit-exported";
inline constexpr std::string_view kAuditProved = "audit-proved";
inline constexpr std::string_view kPayloadOpened = "payload-opened";
inline constexpr std::string_view kRecordsErased = "records-erased";
inline constexpr std::string_view kRetentionHeld = "retention-held";
inline constexpr std::string_view kRetentionReleased = "retention-released";
inline constexpr std::string_view kBackupMade = "backup-made";
inline constexpr std::string_view kErasuresReplayed = "erasures-replayed";
inline constexpr std::string_view kNodeRestored = "node-restored";
inline constexpr std::string_view kRestorationConfirmed = "restoration-confirmed";
inline constexpr std::string_view kTablesBound = "tables-bound";
inline constexpr std::string_view kTamperFound = "tamper-found";
inline constexpr std::string_view kPersonAdded = "person-added";
inline constexpr std::string_view kPersonChanged = "person-changed";
inline constexpr std::string_view kPersonRevoked = "person-revoked";
inline constexpr std::string_view kApprovalProposed = "approval-proposed";
inline constexpr std::string_view kApprovalDecided = "approval-decided";
inline constexpr std::string_view kApprovalReviewed = "approval-reviewed";
inline constexpr std::string_view kApprovalExpired = "approval-expired";
inline constexpr std::string_view kNoticePosted = "notice-posted";
inline constexpr std::string_view kNoticeAcknowledged = "notice-acknowledged";
inline constexpr std::string_view kConfigurationAcknowledged = "configuration-acknowledged";
inline constexpr std::string_view kOwnKeyUsed = "own-key-used";
inline constexpr std::string_view kOwnKeyAnnounced = "own-key-announced";
inline constexpr std::string_view kPeerCardMade = "peer-card-made";
inline constexpr std::string_view kPeerEnrolled = "peer-enrolled";
inline constexpr std::string_view kPeerRekeyed = "peer-rekeyed";
inline constexpr std::string_view kPeerKeysAnnounced = "peer-keys-announced";
inline constexpr std::string_view kPeerSuspended = "peer-suspended";
inline constexpr std::string_view kPeerResumed = "peer-resumed";
inline constexpr std::string_view kPeerRemoved = "peer-removed";
inline constexpr std::string_view kCertificateRevoked = "certificate-revoked";
inline constexpr std::string_view kCertificateReinstated = "certificate-reinstated";
inline constexpr std::string_view kPeerAway = "peer-away";
inline constexpr std::string_view kPeerReturned = "peer-returned";

// Which fields an event of one type may carry: names separated by one space. A name that ends in
// '*' stands for every name that begins with what is before it. type, time, parties, exchange,
// agreement, decision code and clauses are open to every event.
struct EventType {
  std::string_view name;
  std::string_view committed;  // in the payload; the entry has commitments only
  std::string_view messages;   // digests in the clear, compared with the other side's log
  std::string_view counts;     // in the clear
};

inline constexpr std::array kEventTypes{
    // `configuration` is the SHA-256 of the configuration file, so that a change shows in the log.
    EventType{kGatewayStarted, "software operator", "configuration", "log_size"},
    EventType{kGatewayStopped, "reason operator", "", ""},
    EventType{kAuthenticationRefused, "identity address port reason", "", "attempts"},
    EventType{kAuthorisationRefused, "operator identity method reason", "", "attempts"},
    EventType{kPeerMessageRefused, "kind reason address", "message", "messages"},
    EventType{kAgreementReceived, "source operator status", "request reply", "statements faults"},
    EventType{kAgreementDelivered, "operator status", "request reply", "statements faults"},
    EventType{kStatementReceived, "kind signatory source operator status",
              "statement request reply", ""},
    EventType{kStatementIssued, "kind signatory source operator reason status",
              "statement request reply", ""},
    EventType{kAgreementStatusLearned, "source status peer_status", "", ""},
    EventType{kAgreementMarked, "status", "", ""},
    EventType{kWatchlistDrafted, "list definition operator", "", ""},
    EventType{kEntriesAdded, "list source operator content", "", "entries warnings"},
    EventType{kImportRemoved, "list", "", "entries"},
    EventType{kWatchlistApproved, "list content proposer operator", "", ""},
    EventType{kEntriesApproved, "list references proposer operator", "", "entries"},
    EventType{kEntryRead, "list references reason operator", "", "entries"},
    EventType{kEntryWithdrawn, "list reference reason operator", "", ""},
    EventType{kEntryCorrected, "list reference changed reason operator", "", ""},
    EventType{kEntryRestricted, "list reference restriction reason operator", "", ""},
    EventType{kEntryUnrestricted, "list reference reason proposer operator", "", ""},
    EventType{kEntriesExpired, "list references", "", "entries"},
    EventType{kWatchlistValidated, "list", "", "entries stale"},
    EventType{kWatchlistClosed, "list reason operator manifest", "", "entries"},
    EventType{kWatchlistDeleted, "list", "", "lists"},
    EventType{kSealedListPublished, "list requester purpose reason blocks", "header state",
              "sequence entries blocks"},
    EventType{kSealedListWithdrawn, "list requester references", "header state",
              "sequence entries"},
    EventType{kSealedListShredded, "list requester purpose reason operator", "header", "lists"},
    EventType{kSealedListAcknowledged, "list requester", "header", "sequence"},
    EventType{kSealedCopyErased, "list requester", "header", "lists"},
    EventType{kSealedListAudited, "list requester purpose blocks operator", "header state",
              "verified differing withdrawn unaccounted"},
    EventType{kManifestRead, "list reference day operator", "", "found"},
    EventType{kDeploymentCreated, "deployment definition case_ref operator approver engine_name",
              "", ""},
    EventType{kDeploymentChanged, "deployment definition reason operator approver", "", ""},
    EventType{kDeploymentActivated, "deployment", "", "holders"},
    EventType{kListsValidated, "deployment request reason validated_at", "request reply",
              "entries"},
    EventType{kDeploymentStopped, "deployment reason operator", "", "faces alerts false_alerts"},
    EventType{kDeploymentOver, "deployment", "", "faces alerts false_alerts"},
    EventType{kDeploymentClosed, "deployment", "", "faces alerts false_alerts"},
    EventType{kStopSet, "stop reference reason operator order", "", ""},
    EventType{kStopLifted, "stop reference reason operator", "", ""},
    EventType{kAlarmRaised, "whose officer case_ref deployment reason stop", "",
              "hits probes faces false_alerts"},
    EventType{
        kSearchOpened,
        "deployment request case_ref operator operator_key case_key engine_name search offence aim "
        "subject_status officer_commitment case_commitment counters lists sealed ends_at",
        "open opened", "entries reserved"},
    EventType{kSearchPeriod, "deployment from to", "",
              "faces probes hits answered unanswered refused refused-* entries"},
    EventType{kSearchClosed, "deployment reason from to", "close",
              "faces probes hits answered unanswered refused refused-* entries"},
    EventType{kSearchRefused,
              "deployment request case_ref operator operator_key case_key engine_name search "
              "offence aim subject_status officer_commitment case_commitment counters sequence "
              "sealed blinded withheld",
              "open opened refused probe answer", "refusals faces"},
    EventType{kSearchHit,
              "deployment request hits sequence camera capture_ref captured_at officer_commitment "
              "case_commitment counters sealed",
              "probe answer blinded-* header-*", "hits entries"},
    EventType{kSearchJustified,
              "search request agreements holders case_ref operator offence aim subject_status "
              "capture_ref ends_at",
              "", "holders"},
    EventType{kOffersRead, "operator", "request reply", "offers"},
    EventType{kOffersShown, "", "request reply", "offers"},
    EventType{kSealedListReceived, "list purpose", "header state",
              "epoch sequence blocks entries octets"},
    EventType{kSealedListErased, "list purpose reason", "header state", "epoch sequence"},
    EventType{kCapacityReserved, "counter day clause", "", "amount reserved limit"},
    EventType{kAlertRaised,
              "alert deployment reference hit sequence camera capture_ref captured_at",
              "probe answer blinded-* header-*", "frames"},
    EventType{kAlertsRead, "operator how", "", "alerts"},
    EventType{kAlertOpened, "alert reason operator deployment", "", "frames"},
    EventType{kAlertAcknowledged, "alert outcome note operator deployment reference", "", "frames"},
    EventType{kAlertsErased, "reason", "", "alerts"},
    EventType{kAlertsChanged, "reference change at alerts", "", "alerts acknowledged"},
    EventType{kPartnerMessageQueued, "kind content", "", "number"},
    EventType{kPartnerMessageReceived, "kind content_sha256 content_octets outcome", "receipt", ""},
    EventType{kPartnerMessageRefused, "kind reason", "", "number"},
    EventType{kReceiptReceived, "kind outcome", "receipt", "number"},
    EventType{kPartnerMessagesDropped, "reason", "", "messages"},
    EventType{kDeletionStarted, "agreement", "", "version"},
    EventType{kDeletionDone, "agreement holder", "", "version erased"},
    EventType{kAuditExported, "operator", "", "size"},
    EventType{kAuditProved, "operator selector", "", "proofs size"},
    EventType{kPayloadOpened, "operator reason order approval days", "", "index"},
    EventType{kRecordsErased, "reason", "", "records"},
    EventType{kRetentionHeld, "class reference reason operator proposer", "", "hold"},
    EventType{kRetentionReleased, "class reference reason operator proposer", "", "hold"},
    EventType{kBackupMade, "backup operator", "", "log_size ledger_line"},
    EventType{kErasuresReplayed, "", "", "records lines"},
    EventType{kNodeRestored, "backup", "", "log_size largest_seen records"},
    EventType{kRestorationConfirmed, "backup reason operator proposer", "",
              "log_size largest_seen"},
    EventType{kTablesBound, "", "", "deployment stop retention_hold restoration"},
    EventType{kTamperFound, "reason", "", ""},
    EventType{kPersonAdded, "person post roles record operator reason", "", ""},
    EventType{kPersonChanged, "person post roles record operator reason", "", ""},
    EventType{kPersonRevoked, "person post roles record operator reason", "", ""},
    EventType{kApprovalProposed, "approval act subject words operator", "content", ""},
    EventType{kApprovalDecided, "approval act subject operator reason decision", "content", ""},
    EventType{kApprovalReviewed, "approval act subject operator reason decision", "content", ""},
    EventType{kApprovalExpired, "approval act subject", "content", ""},
    EventType{kNoticePosted, "audience subject words", "", "number"},
    EventType{kNoticeAcknowledged, "operator roles", "", "number"},
    EventType{kConfigurationAcknowledged, "operator", "configuration", ""},
    EventType{kOwnKeyUsed, "signing_key", "", ""},
    EventType{kOwnKeyAnnounced,
              "operator name address signing_key log_key anchor compromised_since", "card",
              "overlap_seconds"},
    EventType{kPeerCardMade, "operator address", "card", ""},
    EventType{kPeerEnrolled, "operator name address signing_key log_key anchor", "card", ""},
    EventType{kPeerRekeyed, "operator name address signing_key log_key anchor compromised_since",
              "card", "overlap_seconds"},
    EventType{kPeerKeysAnnounced, "compromised_since", "card", ""},
    EventType{kPeerSuspended, "operator reason", "", ""},
    EventType{kPeerResumed, "operator reason", "", ""},
    EventType{kPeerRemoved, "operator reason", "", ""},
    EventType{kCertificateRevoked, "revocation sha256 subject reason operator", "", ""},
    EventType{kCertificateReinstated, "revocation sha256 subject reason operator", "", ""},
    EventType{kPeerAway, "planned reason", "", ""},
    EventType{kPeerReturned, "software", "", "away_seconds"},
};

// The declaration of `name`, or null if the list has none.
const EventType* FindEventType(std::string_view name);

// Errors: kInternal  a type that is not in the list, or a field that the type does not declare; the
//                    detail names both. For test doubles of Recorder too.
Status CheckEvent(const Event& event);

}  // namespace comity::audit
