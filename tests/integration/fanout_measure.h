// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tests/integration/fanout_world.h"

namespace comity::testing {

// How a fan-out behaves when some holders are dead: three whose port is closed, one that accepts a
// connection and says nothing, one that opens a session and reads no further.
inline constexpr std::size_t kDeadHolders = 5;

struct FanoutSettings {
  std::size_t holders = 20;  // more than the dead ones
  std::uint64_t faces = 100;
  std::chrono::milliseconds pause{40};       // between two faces
  std::chrono::milliseconds deadline{3000};  // of the single search
};

struct Latency {
  double p50_ms = 0;
  double p99_ms = 0;
};

struct FanoutFigures {
  struct Holder {
    std::string agency;
    std::string status;  // answered, refused, unanswered
    std::uint32_t ms = 0;
  };
  Latency all_alive;             // of the holders that stay alive, while nobody is dead
  Latency with_dead;             // of the same holders beside the dead
  std::uint64_t answered = 0;    // answers of the living to the faces sent beside the dead
  std::uint64_t unanswered = 0;  // of the dead
  std::uint64_t expected_answered = 0;
  std::uint64_t expected_unanswered = 0;
  double slowest_unanswered_ms = 0;
  double identify_ms = 0;  // the single search, as its caller waits for it
  std::vector<Holder> identified;
};

// Runs the gateways in this process. About half a minute.
FanoutFigures MeasureFanout(const FanoutSettings& settings);

// {"all_alive": ..., "fanout": [{"holder", "status", "ms"}], ...}
std::string ToJson(const FanoutFigures& figures);

}  // namespace comity::testing
