// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <stop_token>
#include <string>
#include <vector>

#include "crypto/base/result.h"
#include "services/cli/replay_schedule.h"
#include "services/cli/replay_tally.h"
#include "services/cli/session.h"

namespace comity::cli {

struct ReplayOptions {
  std::string file;
  std::string deployment;
  ReplaySchedule schedule;
};

// What a replay found.
struct ReplayReport {
  ReplaySchedule schedule;
  std::vector<std::string> holders;  // that were asked
  std::uint64_t sent = 0;
  double seconds = 0;  // from the start until the last answer, or until waiting ended
  ReplaySchedule::Time most_behind{};
  ReplaySchedule::Time slow_sends{};  // of all cameras together
  std::uint64_t most_awaited = 0;     // answers, at one time
  ReplayTally tally;
  std::map<std::string, std::uint64_t> broken;  // why streams ended early, and how many

  // Answers that were to come and did not.
  std::uint64_t missing() const {
    const std::uint64_t awaited = sent * holders.size();
    return awaited > tally.answers() ? awaited - tally.answers() : 0;
  }
};

// Sends the templates of a file to the profile's gateway as an engine would, at a fixed rate, and
// measures what comes back. Ends 40 seconds after the last face, or ten after `stop`, at the
// latest.
//
// In:     progress  told a few times a second how many answers have come, and how many are awaited
// Errors: those of LoadProfile, TemplateRows::Read and Recognition.Watch
Result<ReplayReport> Replay(const ReplayOptions& options, const Session& session,
                            const std::stop_token& stop,
                            const std::function<void(std::uint64_t, std::uint64_t)>& progress);

}  // namespace comity::cli
