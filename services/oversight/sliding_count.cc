// SPDX-License-Identifier: Apache-2.0
#include "services/oversight/sliding_count.h"

#include <algorithm>

namespace comity::oversight {
namespace {

constexpr std::int64_t kMicroseconds = 1'000'000;

std::int64_t CeilDivide(std::int64_t value, std::int64_t by) {
  return (value + by - 1) / by;
}

}  // namespace

SlidingCount::SlidingCount(std::chrono::seconds window) {
  const std::int64_t length = std::max<std::int64_t>(window.count(), 1);
  const std::int64_t slice = CeilDivide(length, kSlices);
  slice_us_ = slice * kMicroseconds;
  // A window that ends within a slice begins within another one.
  kept_ = CeilDivide(length, slice) + 1;
}

void SlidingCount::Advance(policy::Instant now) {
  newest_ = std::max(newest_, now.time_since_epoch().count() / slice_us_);
  while (!slices_.empty() && slices_.front().index <= newest_ - kept_) {
    sum_ -= slices_.front().count;
    slices_.pop_front();
  }
}

void SlidingCount::Add(policy::Instant at, std::uint64_t count) {
  Advance(at);
  if (slices_.empty() || slices_.back().index != newest_) slices_.push_back({newest_, 0});
  slices_.back().count += count;
  sum_ += count;
}

std::uint64_t SlidingCount::Sum(policy::Instant now) {
  Advance(now);
  return sum_;
}

}  // namespace comity::oversight
