// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>

namespace comity::gateway {

// How long a peer may take over octets that it is sent: a grace for all, and a second for each MiB.
// Only the time in which it is waited for counts, not that in which the octets are made.
//
// Threads: thread-compatible.
class ReadingTime {
 public:
  using Duration = std::chrono::nanoseconds;
  explicit ReadingTime(Duration grace) : left_(grace) {}

  // What is left for the next octets; zero: the peer is too slow.
  Duration For(std::size_t octets) {
    // 2^20 octets a second.
    left_ += std::chrono::duration_cast<Duration>(std::chrono::microseconds(octets * 15625 >> 14));
    return left_ > Duration::zero() ? left_ : Duration::zero();
  }
  void Spend(Duration waited) { left_ -= waited; }

 private:
  Duration left_;
};

}  // namespace comity::gateway
