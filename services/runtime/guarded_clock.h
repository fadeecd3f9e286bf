// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <optional>

#include "services/runtime/clock.h"

namespace comity::runtime {

// The machine's clock as long as it goes as fast as time does. Once somebody sets it by more than
// kMostStep, forwards or backwards, this one goes on by itself, by the time since the machine was
// booted: nothing expires, is erased or is forgotten because a clock was set, and nothing that has
// expired comes back (docs/adr/0030-go-on-by-the-time-since-boot-when-the-clock-is-set.md). When
// the machine's clock comes back to it, it is followed again.
//
// Threads: thread-safe.
class GuardedClock final : public Clock {
 public:
  // Below the 60 s that messages of partners may be off.
  static constexpr std::chrono::seconds kMostStep{30};
  // How often the machine's clock may move this one by that much: a slow drift is followed, many
  // small steps in a row are not.
  static constexpr std::chrono::hours kFollowEvery{1};

  struct Sources {
    std::function<Instant()> wall;
    std::function<std::chrono::microseconds()> boot;  // time since boot, suspension included
  };
  GuardedClock();  // of this machine
  explicit GuardedClock(Sources sources);

  Instant Now() const override;
  std::optional<std::chrono::microseconds> Jump() const override;
  std::chrono::microseconds SinceBoot() const { return sources_.boot(); }

 private:
  using Count = std::chrono::microseconds::rep;
  struct Reading {
    Instant wall;
    Instant own;
  };
  Reading Read() const;

  const Sources sources_;
  mutable std::atomic<Count> booted_at_;    // UTC, by the machine's clock when it was last followed
  mutable std::atomic<Count> followed_at_;  // since boot
};

}  // namespace comity::runtime
