// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/base/bytes.h"
#include "crypto/base/result.h"
#include "crypto/sign/ed25519.h"
#include "policy/model/ids.h"
#include "policy/model/instant.h"
#include "services/backup/ledger_file.h"

namespace comity::backup {

inline constexpr std::string_view kManifestType = "application/vnd.comity.backup.v1+json";
inline constexpr std::size_t kMaxManifest = std::size_t{64} << 10;
inline constexpr std::chrono::days kBackupLife{30};
// The newest schema of a database that this program can take back; a test compares it with the
// store's.
inline constexpr std::uint32_t kNewestSchema = 16;

// One sealed part of the file, in the order in which they follow the manifest.
struct ManifestPart {
  std::string name;        // "database", "log"
  std::uint64_t size = 0;  // octets in the file
  Digest sha256;           // of the SHA-256 values of its frames, one after the other
  bool operator==(const ManifestPart&) const = default;
};

// What a backup says of itself, signed by the agency key (docs/formats/backup.md).
struct Manifest {
  std::string id;  // b-<26 characters>
  policy::AgencyId agency;
  policy::Instant made_at{};
  policy::Instant expires_at{};
  std::uint32_t schema = 0;
  std::string software;
  std::string log_origin;
  std::uint64_t log_size = 0;         // entries in the database
  std::uint64_t checkpoint_size = 0;  // entries under the checkpoint of the part "log"; not more
  LedgerPosition ledger;              // the last line when it was begun: no older ledger will do
  std::vector<ManifestPart> parts;
  bool operator==(const Manifest&) const = default;
};

// The DSSE envelope. Its payload is canonical JSON.
std::string SignManifest(const Manifest& manifest, const sign::SigningKey& agency_key);
// In:     text  untrusted
// Errors: kInvalidArgument  not such an envelope; kCorrupt  not signed by this key, or not such a
//         payload
Result<Manifest> OpenManifest(std::string_view text, const sign::PublicKey& agency_key);

}  // namespace comity::backup
