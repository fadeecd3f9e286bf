// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>

#include "policy/model/instant.h"

namespace comity::oversight {

// A count over a sliding window, exact to a slice of time (a 240th of the window, at least a
// second) and in bounded memory. The window reaches back at least its length and at most one slice
// more: it never counts too little. Time that runs backwards counts as no time passed.
//
// Threads: thread-compatible.
class SlidingCount {
 public:
  static constexpr std::int64_t kSlices = 240;
  explicit SlidingCount(std::chrono::seconds window);

  void Add(policy::Instant at, std::uint64_t count);
  // As of `now`, or of the latest instant given before if that is later.
  std::uint64_t Sum(policy::Instant now);

 private:
  struct Slice {
    std::int64_t index = 0;
    std::uint64_t count = 0;
  };
  void Advance(policy::Instant now);

  std::int64_t slice_us_;
  std::int64_t kept_;  // slices that the window touches
  std::int64_t newest_ = 0;
  std::deque<Slice> slices_;  // ascending; at most kept_
  std::uint64_t sum_ = 0;
};

}  // namespace comity::oversight
