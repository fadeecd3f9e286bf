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

struct WatchlistRecord {
  policy::WatchlistId reference;
  policy::EngineProfile engine;
  policy::Instant imported_at{};
  Bytes wrapped_key;  // the list key under the key-encryption key
};

enum class EntryState { kActive = 1, kWithdrawn = 2 };

struct EntryRecord {
  std::string reference;  // unique in the list, 1..64 octets
  policy::ListCategory category;
  EntryState state = EntryState::kActive;
  policy::Instant valid_from{};
  policy::Instant expires_at{};
  Bytes wrapped_key;      // the entry key under the list key; empty once the entry is erased
  Bytes sealed_template;  // float32 little-endian x dimension under the entry key
  Bytes sealed_fields;    // canonical JSON of the remaining fields under the entry key
};

enum class DeploymentState { kActive = 1, kStopped = 2 };

struct DeploymentRecord {
  policy::DeploymentId id;
  DeploymentState state = DeploymentState::kActive;
  policy::Instant created_at{};
  policy::Instant starts_at{};
  policy::Instant ends_at{};
  std::string created_by;  // the person's id
  std::string definition;  // canonical JSON (services/matching/deployment.h)
};

enum class AlertState { kNew = 1, kAcknowledged = 2 };

struct AlertRecord {
  std::string id;                   // a-<26 characters>
  policy::DeploymentId deployment;  // empty: a retrospective search
  policy::AgencyId holder;
  std::string reference;  // reference number of the entry at the holder
  AlertState state = AlertState::kNew;
  policy::Instant first_seen{};
  policy::Instant last_seen{};
  policy::Instant expires_at{};
  std::uint32_t frames = 0;
  Bytes wrapped_key;  // the alert key under the key-encryption key; empty once erased
  Bytes sealed;       // canonical JSON of the alert's content under the alert key
};

struct AuditEntryRecord {
  std::uint64_t index = 0;
  Bytes entry;  // the leaf: canonical JSON, <= 8 KiB
};

// What lies outside the log and can be erased without touching it.
struct AuditPayloadRecord {
  Bytes wrapped_key;  // k_record under the key-encryption key; empty once erased
  Bytes sealed;       // the payload, padded, under a key derived from k_record
};

struct CheckpointRecord {
  std::uint64_t size = 0;
  std::string note;  // the signed note, exactly as published
};

}  // namespace comity::store
