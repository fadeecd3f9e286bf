// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <thread>

#include "crypto/base/result.h"
#include "services/runtime/guarded_clock.h"
#include "services/runtime/logging.h"

namespace comity::runtime {

// What a program remembers of time beyond its end: when it last ran, and since which boot.
struct ClockRecord {
  std::string boot_id;               // the kernel's UUID of this boot; another text: not known
  std::chrono::microseconds boot{};  // since boot
  Instant now{};
};

// How long a gateway may have been switched off before people must say that the date is right.
inline constexpr std::chrono::days kLongestAbsence{35};

// Whether the time is one that can have come since `before`: exact to a minute while the machine
// runs, else not before it and not longer after it than kLongestAbsence. A boot that is not known
// counts as another one.
//
// Errors: kConflict  says by how much it is off and what to do
Status CheckClock(const ClockRecord& before, const ClockRecord& now);

// Of this machine at this moment.
ClockRecord RecordOf(const GuardedClock& clock);
// Errors: kNotFound  there is none; kCorrupt  it is not of the form that SaveClockRecord writes, or
//         not of a time from 1970 to 9999, or of a machine that has run for 100 years
Result<ClockRecord> LoadClockRecord(const std::filesystem::path& file);
Status SaveClockRecord(const std::filesystem::path& file, const ClockRecord& record);

// Saves the record once a minute and when it ends, and says in the program log that the machine's
// clock jumped. The folder must be there.
//
// Threads: made and destroyed by one thread.
class ClockKeeper {
 public:
  // All must outlive the object.
  ClockKeeper(std::filesystem::path file, const GuardedClock& clock, Logger& logger);

 private:
  void Run(const std::stop_token& stop);
  void Save();

  const std::filesystem::path file_;
  const GuardedClock& clock_;
  Logger& logger_;
  std::jthread thread_;  // last: uses the others
};

}  // namespace comity::runtime
