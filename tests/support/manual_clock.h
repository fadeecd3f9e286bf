// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <chrono>

#include "services/runtime/clock.h"

namespace comity::testing {

// A clock that stands still until a test moves it.
//
// Threads: thread-safe.
class ManualClock final : public runtime::Clock {
 public:
  ManualClock() = default;
  explicit ManualClock(runtime::Instant now) : now_(now.time_since_epoch().count()) {}

  runtime::Instant Now() const override {
    return runtime::Instant(std::chrono::microseconds(now_.load()));
  }
  void Set(runtime::Instant now) { now_.store(now.time_since_epoch().count()); }
  void Advance(std::chrono::microseconds amount) { now_.fetch_add(amount.count()); }

 private:
  std::atomic<std::chrono::microseconds::rep> now_{0};
};

}  // namespace comity::testing
