// SPDX-License-Identifier: Apache-2.0
// The calls of libc that change files, in front of libc's: each may fail as FaultPlan says. SQLite,
// libstdc++ and this tree call them by name, so that a definition in the program, or in a preloaded
// library, is the one that they find. What is done for real is a raw system call.
#include "tests/support/faulty_io.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <string>
#include <string_view>

#include "tests/support/unsynced_pages.h"

namespace {

using comity::testing::Fault;
using comity::testing::FaultPlan;
using comity::testing::UnsyncedPages;

enum class Need { kRoom, kChange, kSync };  // what a call needs of the disk

FaultPlan* MapPlan() {
  const char* path = std::getenv(comity::testing::kFaultVariable);
  if (path == nullptr) return nullptr;
  const int fd = static_cast<int>(::syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_CLOEXEC, 0));
  if (fd < 0) return nullptr;
  void* mapped = ::mmap(nullptr, sizeof(FaultPlan), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  ::close(fd);
  return mapped == MAP_FAILED ? nullptr : static_cast<FaultPlan*>(mapped);
}

FaultPlan* Plan() {
  static FaultPlan* const plan = MapPlan();
  return plan;
}

// Held while a file is changed, if pages are kept: what is noted is what is done.
struct Pages {
  std::mutex mutex;
  UnsyncedPages pages;
};
Pages* KeptPages() {
  static Pages* const kept = []() -> Pages* {
    if (Plan() == nullptr || Plan()->fault != Fault::kSyncLost) return nullptr;
    auto* made = new Pages;  // never destroyed: used until the process ends
    made->pages.Load(Plan()->record);
    return made;
  }();
  return kept;
}
template <typename Act>
void NotePages(const Act& act) {
  Pages* const kept = KeptPages();
  if (kept == nullptr) return;
  const std::lock_guard lock(kept->mutex);
  act(kept->pages);
  if (Plan()->fired != 0 || kept->pages.size() > 0) kept->pages.Save(Plan()->record);
}

bool IsBelow(std::string_view path) {
  return Plan() != nullptr && Plan()->folder[0] != '\0' && path.starts_with(Plan()->folder);
}

std::string PathOf(int fd) {
  std::array<char, 1024> text{};
  const std::string link = "/proc/self/fd/" + std::to_string(fd);
  const ssize_t size = ::readlink(link.c_str(), text.data(), text.size());
  return {text.data(), size < 0 ? 0 : static_cast<std::size_t>(size)};
}

bool IsDue(std::uint64_t number) {
  const std::uint64_t at = Plan()->at;
  return at != 0 && (number == at || (Plan()->lasts != 0 && number > at));
}

int ErrorOf(Fault fault, Need need) {
  const bool is_room = fault == Fault::kFull || fault == Fault::kQuota;
  if (is_room && need != Need::kRoom) return 0;
  switch (fault) {
    case Fault::kFull:
      return ENOSPC;
    case Fault::kQuota:
      return EDQUOT;
    case Fault::kFailed:
      return EIO;
    case Fault::kReadOnly:
      return need == Need::kSync ? EIO : EROFS;
    case Fault::kNone:
    case Fault::kShort:
    case Fault::kTorn:
    case Fault::kSyncLost:
      break;
  }
  return 0;
}

void NoteFired(const char* call, const std::string& path) {
  if (Plan()->fired.exchange(1) != 0) return;
  std::snprintf(Plan()->call, sizeof(FaultPlan::call), "%s of %s", call, path.c_str());
}

[[noreturn]] void Die() {
  ::syscall(SYS_kill, ::getpid(), SIGKILL);
  std::abort();
}

struct Verdict {
  bool is_half = false;  // do half of the write
  bool dies = false;     // then end
  int error = 0;
};

// Counts a call and says what becomes of it.
Verdict Judge(const char* call, const std::string& path, Need need, bool is_write) {
  if (!IsBelow(path)) return {};
  const std::uint64_t number = ++Plan()->calls;
  const Fault fault = Plan()->fault;
  if (need == Need::kSync) {
    const std::uint64_t sync = ++Plan()->syncs;
    if (fault == Fault::kSyncLost) {
      if (!IsDue(sync)) return {};
      NoteFired(call, path);
      return {.error = EIO};
    }
  }
  if (fault == Fault::kSyncLost || !IsDue(number)) return {};
  if (fault == Fault::kTorn) {
    NoteFired(call, path);
    if (!is_write) Die();
    return {.is_half = true, .dies = true};
  }
  if (fault == Fault::kShort) {
    if (is_write) NoteFired(call, path);
    return {.is_half = is_write};
  }
  const int error = ErrorOf(fault, need);
  if (error != 0) NoteFired(call, path);
  return {.error = error};
}

long Failed(int error) {
  errno = error;
  return -1;
}

template <typename Do>
long Change(const char* call, const std::string& path, Need need, const Do& act) {
  const Verdict verdict = Judge(call, path, need, false);
  return verdict.error != 0 ? Failed(verdict.error) : act();
}

long WriteAt(int fd, const void* data, std::size_t size, off_t offset) {
  const std::string path = PathOf(fd);
  const Verdict verdict = Judge("pwrite", path, Need::kRoom, true);
  if (verdict.error != 0) return Failed(verdict.error);
  const std::size_t part = verdict.is_half ? size / 2 : size;
  if (IsBelow(path)) {
    NotePages([&](UnsyncedPages& pages) {
      pages.WillWrite(fd, static_cast<std::uint64_t>(offset), part);
    });
  }
  const long count = ::syscall(SYS_pwrite64, fd, data, part, offset);
  if (verdict.dies) Die();
  return count;
}

long WriteHere(int fd, const void* data, std::size_t size) {
  const std::string path = PathOf(fd);
  const Verdict verdict = Judge("write", path, Need::kRoom, true);
  if (verdict.error != 0) return Failed(verdict.error);
  const std::size_t part = verdict.is_half ? size / 2 : size;
  if (IsBelow(path)) {
    NotePages([&](UnsyncedPages& pages) {
      const long at = ::syscall(SYS_lseek, fd, 0, SEEK_CUR);
      if (at >= 0) pages.WillWrite(fd, static_cast<std::uint64_t>(at), part);
    });
  }
  const long count = ::syscall(SYS_write, fd, data, part);
  if (verdict.dies) Die();
  return count;
}

int Sync(const char* call, int fd, long number) {
  const std::string path = PathOf(fd);
  const Verdict verdict = Judge(call, path, Need::kSync, false);
  if (verdict.error != 0) {
    NotePages([&](UnsyncedPages& pages) { pages.SyncFailed(fd); });
    return static_cast<int>(Failed(verdict.error));
  }
  const long result = ::syscall(number, fd);
  if (result == 0 && IsBelow(path)) NotePages([&](UnsyncedPages& pages) { pages.Synced(fd); });
  return static_cast<int>(result);
}

int OpenAt(int folder, const char* path, int flags, mode_t mode) {
  const auto act = [&] {
    if ((flags & O_TRUNC) != 0 && IsBelow(path)) {
      NotePages([&](UnsyncedPages& pages) { pages.Dropped(path); });
    }
    return ::syscall(SYS_openat, folder, path, flags, mode);
  };
  if ((flags & (O_CREAT | O_TRUNC)) == 0) return static_cast<int>(act());
  return static_cast<int>(Change("open", path, Need::kRoom, act));
}

mode_t ModeOf(int flags, va_list rest) {
  const bool has_mode = (flags & O_CREAT) != 0 || (flags & O_TMPFILE) == O_TMPFILE;
  return has_mode ? static_cast<mode_t>(va_arg(rest, unsigned)) : 0;
}

}  // namespace

// Named apart from libc's declarations, which differ with the level of fortification; the symbol is
// libc's.
#define COMITY_INTERPOSE(symbol) __asm__(symbol) __attribute__((visibility("default"), used))

extern "C" {

int FaultyOpen(const char* path, int flags, ...) COMITY_INTERPOSE("open");
int FaultyOpen64(const char* path, int flags, ...) COMITY_INTERPOSE("open64");
int FaultyMkostemp(char* path, int flags) COMITY_INTERPOSE("mkostemp");
int FaultyMkostemp64(char* path, int flags) COMITY_INTERPOSE("mkostemp64");
ssize_t FaultyWrite(int fd, const void* data, std::size_t size) COMITY_INTERPOSE("write");
ssize_t FaultyWritev(int fd, const iovec* parts, int count) COMITY_INTERPOSE("writev");
ssize_t FaultyPwrite(int fd, const void* data, std::size_t size, off_t offset)
    COMITY_INTERPOSE("pwrite");
ssize_t FaultyPwrite64(int fd, const void* data, std::size_t size, off_t offset)
    COMITY_INTERPOSE("pwrite64");
int FaultyTruncate(int fd, off_t length) COMITY_INTERPOSE("ftruncate");
int FaultyTruncate64(int fd, off_t length) COMITY_INTERPOSE("ftruncate64");
int FaultyAllocate(int fd, int mode, off_t offset, off_t length) COMITY_INTERPOSE("fallocate");
int FaultyAllocate64(int fd, int mode, off_t offset, off_t length) COMITY_INTERPOSE("fallocate64");
int FaultySync(int fd) COMITY_INTERPOSE("fsync");
int FaultyDataSync(int fd) COMITY_INTERPOSE("fdatasync");
int FaultyRename(const char* from, const char* to) COMITY_INTERPOSE("rename");
int FaultyLink(const char* from, const char* to) COMITY_INTERPOSE("link");
int FaultyUnlink(const char* path) COMITY_INTERPOSE("unlink");
int FaultyMkdir(const char* path, mode_t mode) COMITY_INTERPOSE("mkdir");

int FaultyOpen(const char* path, int flags, ...) {
  va_list rest;
  va_start(rest, flags);
  const mode_t mode = ModeOf(flags, rest);
  va_end(rest);
  return OpenAt(AT_FDCWD, path, flags, mode);
}
int FaultyOpen64(const char* path, int flags, ...) {
  va_list rest;
  va_start(rest, flags);
  const mode_t mode = ModeOf(flags, rest);
  va_end(rest);
  return OpenAt(AT_FDCWD, path, flags, mode);
}

// libc's own opens its file without a call that could be counted.
int FaultyMkostemp(char* path, int flags) {
  constexpr std::string_view kLetters = "abcdefghijklmnopqrstuvwxyz012345";
  static std::atomic<unsigned> count = 0;
  for (unsigned attempt = 0; attempt < 1000; ++attempt) {
    std::uint64_t number = (static_cast<std::uint64_t>(::getpid()) << 15U) + count++;
    for (std::size_t i = std::strlen(path) - 6; path[i] != '\0'; ++i, number >>= 5U) {
      path[i] = kLetters[number & 31U];
    }
    const int fd = OpenAt(AT_FDCWD, path, flags | O_RDWR | O_CREAT | O_EXCL, 0600);
    if (fd >= 0 || errno != EEXIST) return fd;
  }
  return -1;
}
int FaultyMkostemp64(char* path, int flags) {
  return FaultyMkostemp(path, flags);
}

ssize_t FaultyWrite(int fd, const void* data, std::size_t size) {
  return WriteHere(fd, data, size);
}
ssize_t FaultyWritev(int fd, const iovec* parts, int count) {
  if (!IsBelow(PathOf(fd))) return ::syscall(SYS_writev, fd, parts, count);
  std::string whole;
  for (int i = 0; i < count; ++i) {
    whole.append(static_cast<const char*>(parts[i].iov_base), parts[i].iov_len);
  }
  return WriteHere(fd, whole.data(), whole.size());
}
ssize_t FaultyPwrite(int fd, const void* data, std::size_t size, off_t offset) {
  return WriteAt(fd, data, size, offset);
}
ssize_t FaultyPwrite64(int fd, const void* data, std::size_t size, off_t offset) {
  return WriteAt(fd, data, size, offset);
}

int FaultyTruncate(int fd, off_t length) {
  const std::string path = PathOf(fd);
  return static_cast<int>(Change("ftruncate", path, Need::kChange, [&] {
    if (IsBelow(path)) {
      NotePages(
          [&](UnsyncedPages& pages) { pages.WillCut(fd, static_cast<std::uint64_t>(length)); });
    }
    return ::syscall(SYS_ftruncate, fd, length);
  }));
}
int FaultyTruncate64(int fd, off_t length) {
  return FaultyTruncate(fd, length);
}
int FaultyAllocate(int fd, int mode, off_t offset, off_t length) {
  return static_cast<int>(Change("fallocate", PathOf(fd), Need::kRoom, [&] {
    return ::syscall(SYS_fallocate, fd, mode, offset, length);
  }));
}
int FaultyAllocate64(int fd, int mode, off_t offset, off_t length) {
  return FaultyAllocate(fd, mode, offset, length);
}

int FaultySync(int fd) {
  return Sync("fsync", fd, SYS_fsync);
}
int FaultyDataSync(int fd) {
  return Sync("fdatasync", fd, SYS_fdatasync);
}

int FaultyRename(const char* from, const char* to) {
  return static_cast<int>(Change("rename", to, Need::kChange, [&] {
    const long result = ::syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0);
    if (result == 0 && IsBelow(to)) {
      NotePages([&](UnsyncedPages& pages) { pages.Renamed(to); });
    }
    return result;
  }));
}
int FaultyLink(const char* from, const char* to) {
  return static_cast<int>(Change("link", to, Need::kRoom, [&] {
    return ::syscall(SYS_linkat, AT_FDCWD, from, AT_FDCWD, to, 0);
  }));
}
int FaultyUnlink(const char* path) {
  return static_cast<int>(Change("unlink", path, Need::kChange, [&] {
    if (IsBelow(path)) NotePages([&](UnsyncedPages& pages) { pages.Dropped(path); });
    return ::syscall(SYS_unlinkat, AT_FDCWD, path, 0);
  }));
}
int FaultyMkdir(const char* path, mode_t mode) {
  return static_cast<int>(Change("mkdir", path, Need::kRoom,
                                 [&] { return ::syscall(SYS_mkdirat, AT_FDCWD, path, mode); }));
}

}  // extern "C"
