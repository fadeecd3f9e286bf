// SPDX-License-Identifier: Apache-2.0
#include "services/cli/latency_histogram.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

namespace comity::cli {
namespace {

using std::chrono::microseconds;

TEST(LatencyHistogram, IsZeroWhenNothingWasAdded) {
  const LatencyHistogram histogram;
  EXPECT_EQ(histogram.count(), 0u);
  EXPECT_EQ(histogram.Percentile(0.99).count(), 0);
  EXPECT_EQ(histogram.max().count(), 0);
}

TEST(LatencyHistogram, IsExactBelow64Microseconds) {
  LatencyHistogram histogram;
  for (int i = 0; i < 64; ++i) histogram.Add(microseconds(i));
  EXPECT_EQ(histogram.Percentile(0).count(), 0);
  EXPECT_EQ(histogram.Percentile(0.5).count(), 31);
  EXPECT_EQ(histogram.Percentile(1).count(), 63);
}

TEST(LatencyHistogram, OneValueIsEveryPercentile) {
  for (const std::int64_t value : {0L, 63L, 64L, 65L, 127L, 128L, 1'000'003L, 1'073'741'823L}) {
    LatencyHistogram histogram;
    histogram.Add(microseconds(value));
    EXPECT_EQ(histogram.Percentile(0.5).count(), value);
    EXPECT_EQ(histogram.max().count(), value);
  }
}

TEST(LatencyHistogram, NeverTellsLessThanTheTruthNorMuchMore) {
  std::mt19937_64 random(1);
  std::lognormal_distribution<double> spread(9, 2);
  std::vector<std::int64_t> values;
  LatencyHistogram histogram;
  for (int i = 0; i < 20'000; ++i) {
    values.push_back(static_cast<std::int64_t>(std::min(spread(random), 1e9)));
    histogram.Add(microseconds(values.back()));
  }
  std::ranges::sort(values);
  for (const double fraction : {0.01, 0.5, 0.9, 0.99, 0.9999, 1.0}) {
    const auto rank = static_cast<std::size_t>(std::ceil(fraction * 20'000 - 1e-9)) - 1;
    const auto truth = static_cast<double>(values[rank]);
    const auto told = static_cast<double>(histogram.Percentile(fraction).count());
    EXPECT_GE(told, truth) << fraction;
    EXPECT_LE(told, truth * 1.0323 + 1) << fraction;
  }
  EXPECT_EQ(histogram.max().count(), values.back());
}

TEST(LatencyHistogram, CountsNegativeTimesAsZeroAndVeryLongOnesAsLong) {
  LatencyHistogram histogram;
  histogram.Add(microseconds(-5));
  EXPECT_EQ(histogram.Percentile(1).count(), 0);
  histogram.Add(std::chrono::hours(5));
  EXPECT_EQ(histogram.count(), 2u);
  EXPECT_EQ(histogram.max(), std::chrono::hours(5));
  EXPECT_GE(histogram.Percentile(1), std::chrono::minutes(17));
}

TEST(LatencyHistogram, MergesAsIfAllHadBeenAddedToOne) {
  LatencyHistogram left, right, both;
  for (int i = 1; i <= 1000; ++i) {
    (i % 3 == 0 ? left : right).Add(microseconds(i * 37));
    both.Add(microseconds(i * 37));
  }
  left.Merge(right);
  EXPECT_EQ(left.count(), 1000u);
  EXPECT_EQ(left.max(), both.max());
  for (const double fraction : {0.1, 0.5, 0.9, 0.99}) {
    EXPECT_EQ(left.Percentile(fraction), both.Percentile(fraction));
  }
}

}  // namespace
}  // namespace comity::cli
