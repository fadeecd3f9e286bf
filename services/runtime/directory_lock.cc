// SPDX-License-Identifier: Apache-2.0
#include "services/runtime/directory_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <cerrno>
#include <chrono>
#include <optional>
#include <string>
#include <system_error>
#include <utility>

#include "services/runtime/shutdown.h"

namespace comity::runtime {
namespace {

constexpr mode_t kDirectoryMode = 0700;
constexpr mode_t kFileMode = 0600;
constexpr std::chrono::milliseconds kLook{100};  // flock can wait, but not for a stop token too

Error SystemError(const std::string& act, int error) {
  return {ErrorCode::kUnavailable, "cannot " + act + ": " + std::generic_category().message(error)};
}

Result<Descriptor> OpenLockFile(const std::filesystem::path& directory) {
  if (::mkdir(directory.c_str(), kDirectoryMode) != 0 && errno != EEXIST) {
    return Fail(SystemError("make the data directory " + directory.string(), errno));
  }
  const std::filesystem::path file = directory / "comity.lock";
  Descriptor lock(::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, kFileMode));
  if (!lock.valid()) return Fail(SystemError("open " + file.string(), errno));
  return lock;
}

// False: another process has it.
Result<bool> TryLock(const Descriptor& lock, const std::filesystem::path& directory) {
  if (::flock(lock.get(), LOCK_EX | LOCK_NB) == 0) return true;
  if (errno == EWOULDBLOCK) return false;
  return Fail(SystemError("lock " + directory.string(), errno));
}

}  // namespace

Result<Descriptor> LockDirectory(const std::filesystem::path& directory) {
  COMITY_ASSIGN_OR_RETURN(Descriptor lock, OpenLockFile(directory));
  COMITY_ASSIGN_OR_RETURN(const bool taken, TryLock(lock, directory));
  if (taken) return lock;
  return Fail(ErrorCode::kUnavailable, "another process has the data directory " +
                                           directory.string() + " open; stop it first");
}

Result<Descriptor> AwaitDirectory(const std::filesystem::path& directory, std::stop_token stop) {
  COMITY_ASSIGN_OR_RETURN(Descriptor lock, OpenLockFile(directory));
  while (true) {
    COMITY_ASSIGN_OR_RETURN(const bool taken, TryLock(lock, directory));
    if (taken) return lock;
    if (!SleepUnlessStopped(kLook, stop)) {
      return Fail(ErrorCode::kUnavailable,
                  "told to stop while another process has the data "
                  "directory " +
                      directory.string());
    }
  }
}

}  // namespace comity::runtime
