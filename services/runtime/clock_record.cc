// SPDX-License-Identifier: Apache-2.0
#include "services/runtime/clock_record.h"

#include <fmt/format.h>

#include <algorithm>
#include <condition_variable>
#include <fstream>
#include <mutex>
#include <sstream>
#include <string_view>
#include <utility>

#include "services/runtime/file.h"

namespace comity::runtime {
namespace {

using std::chrono::microseconds;
using std::chrono::seconds;

constexpr std::size_t kMostRecord = 256;
constexpr std::size_t kBootIdSize = 36;  // a UUID as text
constexpr const char* kBootIdFile = "/proc/sys/kernel/random/boot_id";
// What a record can say; beyond it is damage, and sums of it would overflow.
constexpr microseconds kMostSinceBoot = std::chrono::years(100);
constexpr Instant kEarliest{};
constexpr Instant kLatest = std::chrono::sys_days(std::chrono::year(10'000) / 1 / 1);
constexpr seconds kMostOff = 2 * GuardedClock::kMostStep;  // what was followed before the record
constexpr seconds kSaveEvery{60};
constexpr seconds kLookEvery{10};
constexpr const char* kWhatToDo =
    "Nothing is searched or erased by a clock that may be wrong. Set it right and start again; if "
    "it is right, start once with --accept-clock";

tl::unexpected<Error> Off(const ClockRecord& now, microseconds off, const char* since) {
  return Fail(ErrorCode::kConflict,
              fmt::format("the machine's clock says {}, which is {} s {} what it can be {}. {}",
                          EncodeTimestamp(now.now),
                          std::chrono::duration_cast<seconds>(std::chrono::abs(off)).count(),
                          off > microseconds(0) ? "after" : "before", since, kWhatToDo));
}

bool IsBootId(std::string_view text) {
  return text.size() == kBootIdSize && std::ranges::all_of(text, [](char c) {
           return c == '-' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

// Without an id nobody knows whether the machine was booted between the two.
bool AreOfOneBoot(const ClockRecord& a, const ClockRecord& b) {
  return IsBootId(a.boot_id) && a.boot_id == b.boot_id;
}

// Read to its end: the kernel gives this file no size.
std::string BootId() {
  std::string id;
  std::ifstream file(kBootIdFile);
  std::getline(file, id);
  return IsBootId(id) ? id : "unknown";
}

}  // namespace

Status CheckClock(const ClockRecord& before, const ClockRecord& now) {
  if (AreOfOneBoot(before, now)) {
    const microseconds off = (now.now - before.now) - (now.boot - before.boot);
    if (std::chrono::abs(off) <= kMostOff) return {};
    return Off(now, off, "since the gateway last ran, by the time since the machine was booted");
  }
  if (now.now < before.now - kMostOff) {
    return Off(now, now.now - before.now, "since the gateway last ran");
  }
  const Instant latest = before.now + kLongestAbsence;
  if (now.now > latest) {
    return Off(now, now.now - latest,
               "unless the gateway was switched off for longer than 35 days");
  }
  return {};
}

ClockRecord RecordOf(const GuardedClock& clock) {
  return {BootId(), clock.SinceBoot(), clock.Now()};
}

Result<ClockRecord> LoadClockRecord(const std::filesystem::path& file) {
  COMITY_ASSIGN_OR_RETURN(const std::string text, ReadTextFile(file, kMostRecord));
  std::istringstream stream(text);
  ClockRecord record;
  microseconds::rep boot = 0;
  microseconds::rep now = 0;
  std::string rest;
  if (!(stream >> record.boot_id >> boot >> now) || (stream >> rest) || boot < 0 ||
      boot > kMostSinceBoot.count() || now < kEarliest.time_since_epoch().count() ||
      now >= kLatest.time_since_epoch().count()) {
    return Fail(ErrorCode::kCorrupt, file.string() +
                                         " is not the record of a clock; look at it, and move it "
                                         "away if the machine's clock is right");
  }
  record.boot = microseconds(boot);
  record.now = Instant(microseconds(now));
  return record;
}

Status SaveClockRecord(const std::filesystem::path& file, const ClockRecord& record) {
  const std::string text = fmt::format("{} {} {}\n", record.boot_id, record.boot.count(),
                                       record.now.time_since_epoch().count());
  return WriteFile(file, AsBytes(text), 0600);
}

ClockKeeper::ClockKeeper(std::filesystem::path file, const GuardedClock& clock, Logger& logger)
    : file_(std::move(file)),
      clock_(clock),
      logger_(logger),
      thread_([this](const std::stop_token& stop) { Run(stop); }) {}

void ClockKeeper::Save() {
  if (const Status saved = SaveClockRecord(file_, RecordOf(clock_)); !saved) {
    logger_.Warn("clock-record-not-saved", {{"reason", saved.error().detail}});
  }
}

void ClockKeeper::Run(const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any wake;
  std::unique_lock lock(mutex);
  bool told = false;
  seconds since_saved = kSaveEvery;
  while (!stop.stop_requested()) {
    if (since_saved >= kSaveEvery) {
      Save();
      since_saved = seconds(0);
    }
    const auto jump = clock_.Jump();
    if (jump && !told) {
      logger_.Error("clock-jumped",
                    {{"by_seconds", std::chrono::duration_cast<seconds>(*jump).count()}});
    } else if (!jump && told) {
      logger_.Info("clock-follows-again");
    }
    told = jump.has_value();
    wake.wait_for(lock, stop, kLookEvery, [] { return false; });
    since_saved += kLookEvery;
  }
  Save();
}

}  // namespace comity::runtime
