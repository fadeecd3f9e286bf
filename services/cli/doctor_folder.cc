// SPDX-License-Identifier: Apache-2.0
#include <linux/magic.h>
#include <pwd.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <system_error>

#include "services/cli/doctor_checks.h"

namespace comity::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::uintmax_t kMebibyte = std::uintmax_t{1} << 20;
constexpr std::uintmax_t kNearlyFull = 512 * kMebibyte;
constexpr std::uintmax_t kFull = 64 * kMebibyte;  // less than the write-ahead log may take

// The nearest folder upwards that exists: the one in which the data folder would be made.
fs::path ExistingParent(fs::path path) {
  std::error_code ignored;
  path = fs::absolute(path, ignored);
  while (!fs::exists(path, ignored) && path.has_relative_path()) path = path.parent_path();
  return path;
}

std::string NameOf(uid_t user) {
  const passwd* entry = ::getpwuid(user);  // one thread
  return entry == nullptr ? "user " + std::to_string(user) : entry->pw_name;
}

void CheckSpace(const char* what, const fs::path& folder, Findings& findings) {
  std::error_code fault;
  const fs::space_info space = fs::space(folder, fault);
  if (fault) return;
  const std::string free = std::to_string(space.available / kMebibyte) +
                           " MiB are free on the "
                           "disk of " +
                           folder.string();
  if (space.available < kFull) {
    findings.Wrong(what, free +
                             ": it is full, and nothing is answered that cannot be logged: "
                             "make room, or move the folder to a larger disk");
  } else if (space.available < kNearlyFull) {
    findings.Warn(what, free + ": less than 512 MiB; make room before nothing can be logged");
  }
}

// SQLite's write-ahead log needs locks and shared memory that network file systems do not give.
const char* NetworkFileSystem(std::uint64_t magic) {
  constexpr std::uint64_t kCifs = 0xFF534D42;
  constexpr std::uint64_t kSmb2 = 0xFE534D42;
  constexpr std::uint64_t kCeph = 0x00C36400;
  switch (magic) {
    case NFS_SUPER_MAGIC:
      return "NFS";
    case SMB_SUPER_MAGIC:
    case kCifs:
    case kSmb2:
      return "SMB";
    case AFS_SUPER_MAGIC:
      return "AFS";
    case V9FS_MAGIC:
      return "9P";
    case kCeph:
      return "Ceph";
    default:
      return nullptr;
  }
}

void CheckFileSystem(const fs::path& folder, Findings& findings) {
  struct statfs about{};
  if (::statfs(folder.c_str(), &about) != 0) return;
  const auto magic = static_cast<std::uint64_t>(about.f_type) & 0xFFFFFFFF;
  if (const char* network = NetworkFileSystem(magic)) {
    findings.Wrong("data.directory", folder.string() + " is on a network file system (" + network +
                                         "): locks and shared memory do not hold there; move it to "
                                         "a local disk");
  } else if (magic == TMPFS_MAGIC || magic == RAMFS_MAGIC) {
    findings.Warn("data.directory", folder.string() +
                                        " is in memory (tmpfs): all of it, the log too, is gone "
                                        "when the machine stops; move it to a disk");
  }
}

// Returns whether this user may look into it without leaving files of another owner there.
bool CheckOwner(const fs::path& folder, const struct stat& status, Findings& findings) {
  constexpr mode_t kOthers = 077;
  if (status.st_uid != ::geteuid()) {
    findings.Wrong("data.directory", folder.string() + " belongs to " + NameOf(status.st_uid) +
                                         ", and this program runs as " + NameOf(::geteuid()) +
                                         ": run it as the user that runs comityd, or chown -R the "
                                         "folder to that user");
    return false;
  }
  if (::access(folder.c_str(), R_OK | W_OK | X_OK) != 0) {
    findings.Wrong("data.directory", folder.string() + " is not writable by " +
                                         NameOf(::geteuid()) + ": chmod 0700 " + folder.string());
    return false;
  }
  if ((status.st_mode & kOthers) != 0) {
    findings.Wrong("data.directory",
                   folder.string() + " is open to others: chmod 0700 " + folder.string());
  } else {
    findings.Ok("data.directory", folder.string() + " is writable and private");
  }
  return true;
}

void CheckFutureFolder(const fs::path& folder, Findings& findings) {
  const fs::path parent = ExistingParent(folder);
  if (::access(parent.c_str(), W_OK) != 0) {
    findings.Wrong("data.directory", folder.string() + " is not there, and " + parent.string() +
                                         " is not writable: mkdir -m 0700 " + folder.string());
    return;
  }
  findings.Ok("data.directory", folder.string() + " will be made at the first start");
  CheckFileSystem(parent, findings);
}

bool HasFiles(const fs::path& folder) {
  std::error_code fault;
  return fs::directory_iterator(folder, fault) != fs::directory_iterator();
}

void CheckLedger(const runtime::Config& config, Findings& findings) {
  if (!config.erasure_ledger) {
    findings.Warn("data.erasure_ledger",
                  "none is configured: no backup can be made or put back; name a folder on another "
                  "disk than the data");
    return;
  }
  const fs::path& folder = *config.erasure_ledger;
  struct stat ledger{};
  struct stat data{};
  std::error_code ignored;
  const bool has_data = fs::exists(config.data_directory / "comity.db", ignored);
  const bool is_there = ::stat(folder.c_str(), &ledger) == 0;
  if (has_data && (!is_there || !HasFiles(folder))) {
    findings.Warn("data.erasure_ledger",
                  "there is no ledger in " + folder.string() +
                      ", though there are data: if its disk is not mounted, mount it before the "
                      "start, which else makes the copy anew where the disk should be");
    return;
  }
  if (is_there && ledger.st_uid != ::geteuid()) {
    findings.Wrong("data.erasure_ledger", folder.string() + " belongs to " + NameOf(ledger.st_uid) +
                                              ": chown -R it to the user "
                                              "that runs comityd");
    return;
  }
  const fs::path there = ExistingParent(folder);
  const fs::path beside = ExistingParent(config.data_directory);
  if (::stat(there.c_str(), &ledger) != 0 || ::stat(beside.c_str(), &data) != 0) return;
  if (ledger.st_dev == data.st_dev) {
    findings.Warn("data.erasure_ledger", folder.string() +
                                             " is on the same disk as the data: "
                                             "both are lost at once; move it to another disk");
  } else {
    findings.Ok("data.erasure_ledger", folder.string() + " is on another disk than the data");
  }
  CheckSpace("data.erasure_ledger", there, findings);
}

}  // namespace

bool CheckDataFolder(const runtime::Config& config, Findings& findings) {
  const fs::path& folder = config.data_directory;
  CheckLedger(config, findings);
  struct stat status{};
  if (::stat(folder.c_str(), &status) != 0) {
    CheckFutureFolder(folder, findings);
    return false;
  }
  if (!S_ISDIR(status.st_mode)) {
    findings.Wrong("data.directory", folder.string() + " is no folder: name another one");
    return false;
  }
  const bool may_look = CheckOwner(folder, status, findings);
  CheckFileSystem(folder, findings);
  CheckSpace("data.directory", folder, findings);
  return may_look;
}

}  // namespace comity::cli
