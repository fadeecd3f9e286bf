// SPDX-License-Identifier: Apache-2.0
#include "services/cli/latency_histogram.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace comity::cli {

// A value of b > kFineBits bits is shifted until kFineBits are left: the shift says which group of
// kHalf buckets it is, the rest which of them.
std::size_t LatencyHistogram::BucketOf(std::uint64_t microseconds) {
  const std::uint64_t value = std::min(microseconds, (std::uint64_t{1} << kMostBits) - 1);
  const int bits = static_cast<int>(std::bit_width(value));
  if (bits <= kFineBits) return static_cast<std::size_t>(value);
  const auto shift = static_cast<std::size_t>(bits - kFineBits);
  return shift * kHalf + static_cast<std::size_t>(value >> shift);
}

std::uint64_t LatencyHistogram::LastOf(std::size_t bucket) {
  if (bucket < 2 * kHalf) return bucket;
  const std::size_t shift = bucket / kHalf - 1;
  const std::uint64_t leading = bucket - shift * kHalf;
  return ((leading + 1) << shift) - 1;
}

void LatencyHistogram::Add(Duration took) {
  took = std::max(took, Duration(0));
  ++counts_[BucketOf(static_cast<std::uint64_t>(took.count()))];
  ++count_;
  max_ = std::max(max_, took);
}

void LatencyHistogram::Merge(const LatencyHistogram& other) {
  for (std::size_t i = 0; i < kBuckets; ++i) counts_[i] += other.counts_[i];
  count_ += other.count_;
  max_ = std::max(max_, other.max_);
}

LatencyHistogram::Duration LatencyHistogram::Percentile(double fraction) const {
  if (count_ == 0) return Duration(0);
  const auto wanted =
      std::max(1.0, std::ceil(std::clamp(fraction, 0.0, 1.0) * static_cast<double>(count_) - 1e-9));
  std::uint64_t seen = 0;
  for (std::size_t i = 0; i < kBuckets; ++i) {
    seen += counts_[i];
    if (static_cast<double>(seen) >= wanted) {
      return std::min(Duration(static_cast<std::int64_t>(LastOf(i))), max_);
    }
  }
  return max_;
}

}  // namespace comity::cli
