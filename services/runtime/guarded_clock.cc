// SPDX-License-Identifier: Apache-2.0
#include "services/runtime/guarded_clock.h"

#include <time.h>

#include <utility>

namespace comity::runtime {
namespace {

using std::chrono::microseconds;

microseconds TimeSinceBoot() {
  timespec time{};
  ::clock_gettime(CLOCK_BOOTTIME, &time);
  return std::chrono::seconds(time.tv_sec) +
         std::chrono::duration_cast<microseconds>(std::chrono::nanoseconds(time.tv_nsec));
}

GuardedClock::Sources Machine() {
  return {[] { return SystemClock().Now(); }, TimeSinceBoot};
}

bool IsStep(microseconds off) {
  return std::chrono::abs(off) > GuardedClock::kMostStep;
}

}  // namespace

GuardedClock::GuardedClock() : GuardedClock(Machine()) {}

GuardedClock::GuardedClock(Sources sources) : sources_(std::move(sources)) {
  const microseconds boot = sources_.boot();
  followed_at_ = boot.count();
  booted_at_ = (sources_.wall() - boot).time_since_epoch().count();
}

GuardedClock::Reading GuardedClock::Read() const {
  const microseconds boot = sources_.boot();
  const Instant wall = sources_.wall();
  const Instant own(microseconds(booted_at_) + boot);
  Count followed_at = followed_at_;
  if (!IsStep(wall - own) && boot - microseconds(followed_at) >= kFollowEvery &&
      followed_at_.compare_exchange_strong(followed_at, boot.count())) {
    booted_at_ = (wall - boot).time_since_epoch().count();
  }
  return {wall, own};
}

Instant GuardedClock::Now() const {
  const Reading reading = Read();
  return IsStep(reading.wall - reading.own) ? reading.own : reading.wall;
}

std::optional<microseconds> GuardedClock::Jump() const {
  const Reading reading = Read();
  const microseconds off = reading.wall - reading.own;
  return IsStep(off) ? std::optional(off) : std::nullopt;
}

}  // namespace comity::runtime
