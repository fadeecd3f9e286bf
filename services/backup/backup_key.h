// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "crypto/base/random.h"
#include "crypto/base/result.h"
#include "crypto/base/secret.h"
#include "policy/model/instant.h"

namespace comity::backup {

// The key of one backup, wrapped under the key-encryption key. It is kept in the folders of the
// erasure ledger, never in the backup, and destroyed there when the backup expires: from then on
// nobody can read the backup, whoever holds the file.
struct BackupKey {
  std::string backup;  // b-<26 characters>
  policy::Instant expires_at{};
  SecretBytes key;
};

// Durable in every folder on return.
// Errors: kUnavailable
Status StoreBackupKey(const BackupKey& key, const SecretBytes& kek,
                      const std::vector<std::filesystem::path>& folders, RandomSource& random);

// From the first folder that has it.
// Errors: kNotFound  it was destroyed, or is of another node; kCorrupt
Result<BackupKey> FindBackupKey(const std::string& backup, const SecretBytes& kek,
                                const std::vector<std::filesystem::path>& folders);

// Overwrites and removes the keys of backups that expired at `now`, in every folder; returns the
// backups, by id. Errors: kUnavailable  names the file; the others are destroyed in any case
Result<std::vector<std::string>> DestroyExpiredKeys(
    const std::vector<std::filesystem::path>& folders, policy::Instant now);

// Backups whose key is still there, and when the first of them expires.
struct KeptBackups {
  std::uint64_t count = 0;
  std::optional<policy::Instant> next;
};
KeptBackups CountBackupKeys(const std::vector<std::filesystem::path>& folders);

// Removes the key of a backup that failed, from every folder. Errors: kUnavailable  names the file;
// the others are destroyed in any case
Status DestroyBackupKey(const std::string& backup,
                        const std::vector<std::filesystem::path>& folders);

}  // namespace comity::backup
