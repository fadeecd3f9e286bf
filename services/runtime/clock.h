// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <optional>
#include <string>

namespace comity::runtime {

// A moment in UTC with microseconds; the same type as policy::Instant.
using Instant = std::chrono::sys_time<std::chrono::microseconds>;

// Where services read the time: injected, so that a test decides what time it is.
//
// Threads: implementations are thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual Instant Now() const = 0;
  // How far the machine's clock is ahead of this one (behind: negative), if this one does not
  // follow it any more (guarded_clock.h).
  virtual std::optional<std::chrono::microseconds> Jump() const { return std::nullopt; }
};

class SystemClock final : public Clock {
 public:
  Instant Now() const override {
    return std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now());
  }
};

// RFC 3339 in UTC with six fraction digits: 2026-11-25T08:00:00.250000Z.
std::string EncodeTimestamp(Instant instant);

}  // namespace comity::runtime
