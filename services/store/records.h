// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "crypto/base/bytes.h"
#include "policy/model/decision.h"
#include "policy/model/engine_profile.h"
#include "policy/model/ids.h"
#include "policy/model/instant.h"

// What the store keeps, as plain values. "Sealed" octets are encrypted before they come here and
// the store cannot read them; "wrapped" octets are keys under another key.
namespace comity::store {

struct AgreementDocumentRecord {
  policy::AgreementId id;
  std::uint32_t version = 0;
  Digest sha256;
  std::string yaml;  // the exact signed bytes, <= 256 KiB
  policy::Instant received_at{};
};

struct StatementRecord {
  Digest id;  // SHA-256 of the payload
  policy::AgreementId agreement;
  std::string envelope;  // DSSE JSON
  policy::Instant received_at{};
};

enum class ListState { kDraft = 1, kApproved = 2, kClosed = 3, kDeleted = 4 };

struct WatchlistRecord {
  policy::WatchlistId reference;
  ListState state = ListState::kDraft;
  std::string definition;  // YAML as it was drafted (services/watchlists/definition.h), <= 64 KiB
  std::vector<policy::PersonId> drafters;  // who made it and who added to it
  Digest content;                          // of the definition and every change of the draft
  policy::Instant drafted_at{};
  std::optional<policy::PersonId> approved_by;
  std::optional<policy::Instant> approved_at;
  std::optional<policy::Instant> validated_at;  // when every entry was last looked at again
  std::optional<policy::Instant> closed_at;
  std::optional<policy::Instant> delete_by;
  std::optional<policy::Instant> deleted_at;
  std::uint64_t imports = 0;  // how many have begun: the number of the last one
  bool importing = false;     // the last one is under way: its entries do not count yet
  Bytes wrapped_key;          // the list key under the key-encryption key; empty once deleted
  std::string manifest;       // DSSE JSON; empty until closed
};

enum class EntryState { kActive = 1, kWithdrawn = 2, kExpired = 3 };
enum class EntryRestriction { kNone = 1, kRestricted = 2, kContested = 3 };
// Of entries that match only after a further approval (victims, witnesses, children ...).
enum class EntryClearance { kNotNeeded = 1, kPending = 2, kGiven = 3 };

struct EntryRecord {
  std::uint64_t position = 0;  // in the order of adding, over all lists; given by the store
  std::string reference;       // unique in the list, 1..64 octets
  policy::ListCategory category;
  EntryState state = EntryState::kActive;
  EntryRestriction restriction = EntryRestriction::kNone;
  EntryClearance clearance = EntryClearance::kNotNeeded;
  bool under_18 = false;
  policy::Instant valid_from{};
  policy::Instant expires_at{};
  policy::Instant review_by{};
  policy::Instant as_of{};  // when what is known of the person was last checked
  std::optional<policy::Instant> cleared_at;
  std::optional<policy::Instant> ended_at;  // withdrawn or expired
  Digest rationale;                         // commitment to the rationale
  Bytes wrapped_key;      // the entry key under the list key; empty once the entry is erased
  Bytes sealed_template;  // float32 little-endian x dimension under the entry key
  Bytes sealed_fields;    // canonical JSON of the remaining fields under the entry key
};

enum class AlertState { kNew = 1, kAcknowledged = 2, kWithdrawn = 3 };

struct AlertRecord {
  std::string id;                   // a-<26 characters>
  policy::DeploymentId deployment;  // empty: a retrospective search
  policy::AgencyId holder;
  std::string reference;  // reference number of the entry at the holder
  std::string answer;     // exchange id of the answer, if that gave no reference; else empty, as in
                          // records of an old schema
  AlertState state = AlertState::kNew;
  policy::Instant first_seen{};
  policy::Instant last_seen{};
  policy::Instant expires_at{};
  std::uint32_t frames = 0;
  policy::AgreementId agreement;  // under which it was raised; empty in records of an old schema
  std::uint32_t version = 0;      // of the agreement
  std::string change;             // what the holder last said of the entry; empty: nothing
  policy::Instant changed_at{};   // by the holder's clock
  Bytes wrapped_key;              // the alert key under the key-encryption key; empty once erased
  Bytes sealed;                   // canonical JSON of the alert's content under the alert key
};

struct AuditEntryRecord {
  std::uint64_t index = 0;
  Bytes entry;  // the leaf: canonical JSON, <= 8 KiB
};

// What lies outside the log and can be erased without touching it.
struct AuditPayloadRecord {
  Bytes wrapped_key;           // k_record under the key-encryption key; empty once erased
  Bytes sealed;                // the payload, padded, under a key derived from k_record
  policy::Instant erase_at{};  // when it must be gone; at the epoch: no date was set
};

struct CheckpointRecord {
  std::uint64_t size = 0;
  std::string note;  // the signed note, exactly as published
};

}  // namespace comity::store
