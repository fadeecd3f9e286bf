// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>

// What a test and a program that runs under set_clock.cc share: a file that both map. The program
// has it preloaded, and finds the file by the environment variable COMITY_SET_CLOCK.
namespace comity::testing {

struct ClockPlan {
  std::atomic<std::int64_t> ahead_us;  // by how much the machine's clock is ahead of the true one
};

inline constexpr const char* kClockVariable = "COMITY_SET_CLOCK";

}  // namespace comity::testing
