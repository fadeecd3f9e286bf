// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace comity::cli {

// How long things took, in memory that does not grow: counts in buckets whose width is a
// thirty-second of their value or less, so that a percentile is at most 3.2 % above the true one.
// Below 64 us every microsecond has a bucket; what took longer than about 17 minutes counts as
// that.
//
// Threads: thread-compatible.
class LatencyHistogram {
 public:
  using Duration = std::chrono::microseconds;

  void Add(Duration took);  // a negative one counts as 0
  void Merge(const LatencyHistogram& other);

  std::uint64_t count() const { return count_; }
  Duration max() const { return max_; }  // exact
  // The least value of a bucket's end at or below which `fraction` of all lie; never above max().
  // In: fraction  0 to 1. Zero when nothing was added.
  Duration Percentile(double fraction) const;

 private:
  // 2^6 buckets of one microsecond, then 2^5 for each further power of two up to 2^30.
  static constexpr int kFineBits = 6;
  static constexpr int kMostBits = 30;
  static constexpr std::size_t kHalf = std::size_t{1} << (kFineBits - 1);
  static constexpr std::size_t kBuckets = 2 * kHalf + (kMostBits - kFineBits) * kHalf;
  static std::size_t BucketOf(std::uint64_t microseconds);
  static std::uint64_t LastOf(std::size_t bucket);

  std::array<std::uint64_t, kBuckets> counts_{};
  std::uint64_t count_ = 0;
  Duration max_{};
};

}  // namespace comity::cli
