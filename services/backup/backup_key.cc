// SPDX-License-Identifier: Apache-2.0
#include "services/backup/backup_key.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <system_error>
#include <utility>

#include "crypto/base/canonical_json.h"
#include "crypto/base/encoding.h"
#include "crypto/envelope/aead.h"
#include "services/runtime/descriptor.h"
#include "services/runtime/file.h"

namespace comity::backup {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

constexpr mode_t kFolderMode = 0700;
constexpr mode_t kFileMode = 0600;
constexpr std::size_t kMaxKeyFile = 1024;

struct Stored {
  std::string backup;
  policy::Instant expires_at{};
  Bytes wrapped;
};

fs::path FolderOf(const fs::path& ledger) {
  return ledger / "backups";
}
fs::path FileOf(const fs::path& ledger, const std::string& backup) {
  return FolderOf(ledger) / (backup + ".key");
}

// The expiry is bound to the key: a later one cannot be put beside it.
std::string Context(const std::string& backup, policy::Instant expires_at) {
  return "comity/backup-key/v1|" + backup + "|" + policy::EncodeInstant(expires_at);
}

Result<Stored> ParseStored(const std::string& text) {
  COMITY_ASSIGN_OR_RETURN(const Json json, ParseCanonicalJson(text, kMaxKeyFile));
  try {
    Stored stored;
    stored.backup = json.at("backup").get<std::string>();
    COMITY_ASSIGN_OR_RETURN(
        stored.expires_at,
        policy::ParseInstant(json.at("expires_at").get_ref<const std::string&>()));
    COMITY_ASSIGN_OR_RETURN(stored.wrapped,
                            ParseBase64(json.at("wrapped_key").get_ref<const std::string&>()));
    return stored;
  } catch (const Json::exception&) {
    return Fail(ErrorCode::kCorrupt, "not the key of a backup");
  }
}

Result<Stored> ReadStored(const fs::path& file) {
  COMITY_ASSIGN_OR_RETURN(const std::string text, runtime::ReadTextFile(file, kMaxKeyFile));
  auto stored = ParseStored(text);
  if (stored && file.stem() == stored->backup) return stored;
  return Fail(ErrorCode::kCorrupt, file.string() + " is not the key of a backup");
}

tl::unexpected<Error> CannotDestroy(const fs::path& file, int error) {
  return Fail(ErrorCode::kUnavailable,
              "cannot destroy " + file.string() + ": " + std::generic_category().message(error));
}

// All of it: a key of which a part is left is not destroyed.
bool Overwrite(int file, std::string_view octets) {
  off_t offset = 0;
  while (!octets.empty()) {
    const ssize_t count = ::pwrite(file, octets.data(), octets.size(), offset);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return false;
    offset += count;
    octets.remove_prefix(static_cast<std::size_t>(count));
  }
  return true;
}

Status Destroy(const fs::path& file) {
  const runtime::Descriptor open(::open(file.c_str(), O_WRONLY | O_CLOEXEC));
  if (!open.valid()) return errno == ENOENT ? Status() : CannotDestroy(file, errno);
  const std::string zeros(kMaxKeyFile, '\0');
  if (!Overwrite(open.get(), zeros) || ::fsync(open.get()) != 0 || ::unlink(file.c_str()) != 0) {
    return CannotDestroy(file, errno);
  }
  const runtime::Descriptor folder(
      ::open(file.parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!folder.valid() || ::fsync(folder.get()) != 0) return CannotDestroy(file, errno);
  return {};
}

std::vector<fs::path> KeyFiles(const fs::path& ledger) {
  std::vector<fs::path> files;
  std::error_code fault;
  for (fs::directory_iterator at(FolderOf(ledger), fault), end; !fault && at != end;
       at.increment(fault)) {
    if (at->path().extension() == ".key") files.push_back(at->path());
  }
  return files;
}

}  // namespace

Status StoreBackupKey(const BackupKey& key, const SecretBytes& kek,
                      const std::vector<fs::path>& folders, RandomSource& random) {
  const Bytes wrapped =
      envelope::WrapKey(kek, key.key, AsBytes(Context(key.backup, key.expires_at)), random);
  const std::string text =
      EncodeCanonicalJson({{"v", 1},
                           {"backup", key.backup},
                           {"expires_at", policy::EncodeInstant(key.expires_at)},
                           {"wrapped_key", EncodeBase64(wrapped)}});
  for (const fs::path& ledger : folders) {
    if (::mkdir(FolderOf(ledger).c_str(), kFolderMode) != 0 && errno != EEXIST) {
      return Fail(ErrorCode::kUnavailable, "cannot make " + FolderOf(ledger).string() + ": " +
                                               std::generic_category().message(errno));
    }
    COMITY_RETURN_IF_ERROR(
        runtime::WriteFile(FileOf(ledger, key.backup), AsBytes(text), kFileMode));
  }
  return {};
}

Result<BackupKey> FindBackupKey(const std::string& backup, const SecretBytes& kek,
                                const std::vector<fs::path>& folders) {
  for (const fs::path& ledger : folders) {
    std::error_code ignored;
    if (!fs::exists(FileOf(ledger, backup), ignored)) continue;
    COMITY_ASSIGN_OR_RETURN(const Stored stored, ReadStored(FileOf(ledger, backup)));
    auto key = envelope::UnwrapKey(kek, stored.wrapped,
                                   AsBytes(Context(stored.backup, stored.expires_at)));
    if (!key) {
      return Fail(ErrorCode::kCorrupt,
                  FileOf(ledger, backup).string() + " does not open with this key-encryption key");
    }
    return BackupKey{backup, stored.expires_at, *std::move(key)};
  }
  return Fail(ErrorCode::kNotFound,
              "the key of backup " + backup +
                  " is not beside the erasure ledger: the backup expired, or is of another node");
}

Result<std::vector<std::string>> DestroyExpiredKeys(const std::vector<fs::path>& folders,
                                                    policy::Instant now) {
  std::set<std::string> destroyed;
  std::optional<Error> failure;
  for (const fs::path& ledger : folders) {
    for (const fs::path& file : KeyFiles(ledger)) {
      const auto stored = ReadStored(file);
      // A damaged one opens nothing; it is left for people to look at.
      if (!stored || now < stored->expires_at) continue;
      if (const Status gone = Destroy(file); !gone) {
        failure = gone.error();
      } else {
        destroyed.insert(stored->backup);
      }
    }
  }
  if (failure) return Fail(*failure);
  return std::vector<std::string>(destroyed.begin(), destroyed.end());
}

KeptBackups CountBackupKeys(const std::vector<fs::path>& folders) {
  std::set<std::string> backups;
  KeptBackups kept;
  for (const fs::path& ledger : folders) {
    for (const fs::path& file : KeyFiles(ledger)) {
      const auto stored = ReadStored(file);
      if (!stored || !backups.insert(stored->backup).second) continue;
      if (!kept.next || stored->expires_at < *kept.next) kept.next = stored->expires_at;
    }
  }
  kept.count = backups.size();
  return kept;
}

Status DestroyBackupKey(const std::string& backup, const std::vector<fs::path>& folders) {
  Status outcome;
  for (const fs::path& ledger : folders) {
    if (const Status gone = Destroy(FileOf(ledger, backup)); !gone) outcome = gone;
  }
  return outcome;
}

}  // namespace comity::backup
