// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "crypto/base/result.h"
#include "policy/model/instant.h"

namespace comity::policy {

// What is kept, by how long it may be: a closed list. Source: domain study, D5 and RD-1.
enum class RetentionClass : std::uint8_t {
  kFace,           // a face without an alert
  kAlert,          // an alert at the requester, with the references of its captures
  kMatchEvidence,  // what shows that a person confirmed a match
  kEntry,          // an entry of an own list
  kWatchlist,      // a list, with all its entries
  kAuditPayload,   // what a log entry refers to: identities, case references, references
  kJustification,  // acts that needed two people: their content and words
  kMessage,        // a message to a partner that arrived
  kReceipt,        // what a partner signed for
  kHolding,        // which partner was told of which own entry
  kDeployment,     // a deployment: why, where, when, under which case
  kNotice,         // notices to people
  kReplayId,       // exchange ids seen
  kCounter,        // counts of searches by day, officer and case
  kExport,         // a log that was handed out
  kBackup,         // a backup's key
};

// Which of the periods was the shortest and decides.
enum class RetentionBound : std::uint8_t { kLaw, kOriginator, kAgreement };

struct RetentionRule {
  RetentionClass record_class{};
  std::string_view name;  // "audit-payload": in the ledger, the log and on the wire
  // What the law allows at most after the record's start. Absent: it sets no number; originator and
  // agreement do. Zero: never stored.
  std::optional<std::chrono::seconds> most;
  // What the law demands at least; no other period goes below it.
  std::chrono::seconds least{};
  std::string_view starts;  // what the period counts from
  std::string_view words;   // what is kept, and how it goes
  std::string_view source;
};

std::span<const RetentionRule> RetentionRules();  // in the order of RetentionClass
const RetentionRule& RuleOf(RetentionClass record_class);
std::string_view Name(RetentionClass record_class);
std::string_view Name(RetentionBound bound);  // law, originator, agreement
// Errors: kInvalidArgument  no class of this name
Result<RetentionClass> ParseRetentionClass(std::string_view name);

// When a record must be gone, and by whose period.
struct RetentionEnd {
  Instant due{};
  RetentionBound bound{};
  bool operator==(const RetentionEnd&) const = default;
};

// The shortest of what law, originator and agreement allow. Of equal ones the first named decides.
//
// In:      originator  the date that the record's originator set; absent: none
//          agreement   the period of the agreement it came under; absent: it has none
// Returns: absent if nobody sets an end: such a record must not be stored
std::optional<RetentionEnd> EffectiveEnd(RetentionClass record_class, Instant start,
                                         std::optional<Instant> originator,
                                         std::optional<std::chrono::seconds> agreement);

}  // namespace comity::policy
