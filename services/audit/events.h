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
inline constexpr std::string_view kWatchlistImported = "watchlist-imported";
inline constexpr std::string_view kEntryWithdrawn = "entry-withdrawn";
inline constexpr std::string_view kDeploymentCreated = "deployment-created";
inline constexpr std::string_view kDeploymentStopped = "deployment-stopped";
inline constexpr std::string_view kSearchOpened = "search-opened";
inline constexpr std::string_view kSearchPeriod = "search-period";
inline constexpr std::string_view kSearchClosed = "search-closed";
inline constexpr std::string_view kSearchRefused = "search-refused";
inline constexpr std::string_view kSearchHit = "search-hit";
inline constexpr std::string_view kCapacityReserved = "capacity-reserved";
inline constexpr std::string_view kAlertRaised = "alert-raised";
inline constexpr std::string_view kAlertAcknowledged = "alert-acknowledged";
inline constexpr std::string_view kAlertsErased = "alerts-erased";
inline constexpr std::string_view kAuditExported = "audit-exported";
inline constexpr std::string_view kAuditProved = "audit-proved";
inline constexpr std::string_view kPayloadOpened = "payload-opened";

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
    EventType{kWatchlistImported, "list engine operator source", "",
              "entries warnings duplicates dimension"},
    EventType{kEntryWithdrawn, "list reference reason operator", "", ""},
    EventType{kDeploymentCreated, "deployment definition case_ref operator engine_name", "", ""},
    EventType{kDeploymentStopped, "deployment reason operator", "", ""},
    EventType{
        kSearchOpened,
        "deployment request case_ref operator operator_key engine_name counters lists ends_at",
        "open opened", "entries reserved"},
    EventType{kSearchPeriod, "deployment from to", "",
              "faces probes hits answered unanswered refused refused-* entries"},
    EventType{kSearchClosed, "deployment reason from to", "close",
              "faces probes hits answered unanswered refused refused-* entries"},
    EventType{kSearchRefused,
              "deployment request case_ref operator operator_key engine_name counters sequence",
              "open opened refused probe answer", "refusals faces"},
    EventType{kSearchHit,
              "deployment request hits sequence camera capture_ref captured_at counters",
              "probe answer", "hits entries"},
    EventType{kCapacityReserved, "counter day clause", "", "amount reserved limit"},
    EventType{kAlertRaised,
              "alert deployment reference hit sequence camera capture_ref captured_at",
              "probe answer", "frames"},
    EventType{kAlertAcknowledged, "alert outcome note operator deployment reference", "", "frames"},
    EventType{kAlertsErased, "reason", "", "alerts"},
    EventType{kAuditExported, "operator", "", "size"},
    EventType{kAuditProved, "operator selector", "", "proofs size"},
    EventType{kPayloadOpened, "operator reason", "", "index"},
};

// The declaration of `name`, or null if the list has none.
const EventType* FindEventType(std::string_view name);

// Errors: kInternal  a type that is not in the list, or a field that the type does not declare; the
//                    detail names both. For test doubles of Recorder too.
Status CheckEvent(const Event& event);

}  // namespace comity::audit
