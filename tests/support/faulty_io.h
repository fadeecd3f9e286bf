// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

// What a test and its victim share: a file that both map. The victim has faulty_io.cc linked into
// it, or preloaded, and finds the file by the environment variable COMITY_FAULTY_IO.
namespace comity::testing {

enum class Fault : std::uint32_t {
  kNone = 0,
  kFull,      // ENOSPC, of calls that need room
  kQuota,     // EDQUOT, of the same
  kFailed,    // EIO, of every call
  kReadOnly,  // EROFS, of every call
  kShort,     // a write writes half and says so; other calls work
  kTorn,      // half of a write is written, then SIGKILL; other calls: SIGKILL before them
  kSyncLost,  // fsync says EIO once and what it had to sync is not on the disk, as on Linux: the
              // pages are clean from then on, reads see them, and later calls succeed
};

struct FaultPlan {
  char folder[512];                  // only files below it count; absolute
  char record[512];                  // kSyncLost: file for what a power cut takes back
  std::atomic<std::uint64_t> at;     // the call that fails, from 1; of kSyncLost the sync; 0: none
  std::atomic<Fault> fault;          //
  std::atomic<std::uint32_t> lasts;  // 1: every later call of the kind fails, too
  std::atomic<std::uint64_t> calls;  // calls so far that change files below `folder`
  std::atomic<std::uint64_t> syncs;  // of those, fsync and fdatasync
  std::atomic<std::uint32_t> fired;  // 1: the fault was made
  char call[640];                    // the first call that failed, with its path
};

inline constexpr const char* kFaultVariable = "COMITY_FAULTY_IO";

}  // namespace comity::testing
