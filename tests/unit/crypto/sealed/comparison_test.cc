// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "crypto/sealed/sketch_decode.h"
#include "crypto/sealed/threshold.h"
#include "tests/support/result_matchers.h"
#include "tests/unit/crypto/sealed/samples.h"
#include "tests/unit/crypto/sealed/search.h"
#include "tests/unit/crypto/sealed/slow_reference.h"

namespace comity::sealed {
namespace {

using testing::Faces;
using testing::OneBlock;

// The noise of a score: sd 13.06 sqrt(|q|^2 + 2 (2n/3)), |q|^2 = C.
double NoiseDeviation(std::size_t d) {
  return std::sqrt(170.5) * std::sqrt(64516.0 * static_cast<double>(d) / 121 + 2 * 2048.0 / 3);
}

std::int64_t Dot(std::span<const std::int8_t> left, std::span<const std::int8_t> right) {
  std::int64_t dot = 0;
  for (std::size_t j = 0; j < left.size(); ++j) dot += std::int64_t{left[j]} * right[j];
  return dot;
}

// Entries whose cosines with a probe are spread evenly over [first, last].
struct Spread {
  std::vector<std::int8_t> q;
  std::vector<std::int8_t> entries;
  Spread(std::size_t d, double first, double last, std::size_t count = kRingDegree) {
    Faces faces(d, 21);
    const auto probe = faces.Unit();
    q = faces.Quantise(probe);
    for (std::size_t i = 0; i < count; ++i) {
      const double at = static_cast<double>(i) / static_cast<double>(count - 1);
      const auto x = faces.Quantise(faces.UnitAt(probe, first + (last - first) * at));
      entries.insert(entries.end(), x.begin(), x.end());
    }
  }
};

class WholeComparison : public ::testing::TestWithParam<std::uint32_t> {};

TEST_P(WholeComparison, EqualsPlaintextScoresOutsideTheDitherAndTheLawInside) {
  const std::uint32_t d = GetParam();
  const Spread spread(d, -0.65, 1.0);
  OneBlock block({.dimension = d, .tau_max = 8000}, spread.entries);
  const double guard = 65536 + 8 * NoiseDeviation(d);
  double in_zone = 0;
  double expected = 0;
  double variance = 0;
  double hits_in_zone = 0;
  for (int tau = 3000; tau <= 8000; tau += 1000) {
    const std::uint32_t threshold = *block.profile.Threshold(tau);
    for (int run = 0; run < 4; ++run) {
      const Probe probe = block.Blind(spread.q);
      const auto b = block.RequesterShare(probe, spread.q);
      const auto t = block.HolderShare(probe.message());
      const auto hits = testing::CompareAll(b, t, threshold);
      for (std::size_t i = 0; i < kRingDegree; ++i) {
        ASSERT_EQ(hits[i], reference::IsHit(t[i], b[i], threshold)) << i;
        const auto entry = std::span(spread.entries).subspan(i * d, d);
        const auto score = static_cast<double>(block.profile.delta() * Dot(spread.q, entry));
        if (std::abs(score - threshold) > guard) {
          ASSERT_EQ(hits[i], score > threshold) << "slot " << i << " tau " << tau;
          continue;
        }
        const double noisy = static_cast<double>(reference::Mod(std::int64_t{b[i]} + t[i]));
        const double p = std::clamp(0.5 + (noisy - threshold) / 131072, 0.0, 1.0);
        in_zone += 1;
        expected += p;
        variance += p * (1 - p);
        hits_in_zone += hits[i];
      }
    }
  }
  EXPECT_GT(in_zone, 300);
  EXPECT_NEAR(hits_in_zone, expected, 5 * std::sqrt(variance));
}

INSTANTIATE_TEST_SUITE_P(Dimensions, WholeComparison, ::testing::Values(128, 256, 512, 1024));

TEST(Comparison, EachTenthOfTheDitherZoneHitsAsOftenAsPredicted) {
  const Spread spread(128, 0.38, 0.42);
  OneBlock block({.dimension = 128}, spread.entries);
  const std::uint32_t threshold = *block.profile.Threshold(4000);
  std::array<double, 10> seen{};
  std::array<double, 10> hit{};
  for (int run = 0; run < 30; ++run) {
    const Probe probe = block.Blind(spread.q);
    const auto b = block.RequesterShare(probe, spread.q);
    const auto t = block.HolderShare(probe.message());
    const auto hits = testing::CompareAll(b, t, threshold);
    for (std::size_t i = 0; i < kRingDegree; ++i) {
      const double noisy = static_cast<double>(reference::Mod(std::int64_t{b[i]} + t[i]));
      const double p = 0.5 + (noisy - threshold) / 131072;
      if (p <= 0 || p >= 1) continue;
      seen.at(static_cast<std::size_t>(10 * p)) += 1;
      hit.at(static_cast<std::size_t>(10 * p)) += hits[i];
    }
  }
  for (std::size_t tenth = 0; tenth < 10; ++tenth) {
    const double p = (static_cast<double>(tenth) + 0.5) / 10;
    ASSERT_GT(seen.at(tenth), 500);
    EXPECT_NEAR(hit.at(tenth) / seen.at(tenth), p,
                0.01 + 5 * std::sqrt(p * (1 - p) / seen.at(tenth)));
  }
}

// An error in cosine is one of templates and noise; the dither comes on top.
TEST(Comparison, TheCosineErrorIsBelowTheBars) {
  const std::pair<std::uint32_t, double> bars[] = {
      {128, 0.0018}, {256, 0.0015}, {512, 0.0015}, {1024, 0.0018}};
  for (const auto& [d, bar] : bars) {
    const Spread spread(d, -0.6, 0.97);
    OneBlock block({.dimension = d}, spread.entries);
    const double scale = block.profile.delta() * 64516.0 * d / 121;
    double squares = 0;
    for (int run = 0; run < 4; ++run) {
      const Probe probe = block.Blind(spread.q);
      const auto b = block.RequesterShare(probe, spread.q);
      const auto t = block.HolderShare(probe.message());
      for (std::size_t i = 0; i < kRingDegree; ++i) {
        std::int64_t noisy = reference::Mod(std::int64_t{b[i]} + t[i]);
        if (noisy >= 1 << 23) noisy -= 1 << 24;
        const double cosine = -0.6 + 1.57 * static_cast<double>(i) / (kRingDegree - 1);
        squares += std::pow(static_cast<double>(noisy) / scale - cosine, 2);
      }
    }
    EXPECT_LT(std::sqrt(squares / (4 * kRingDegree)), bar) << d;
    RecordProperty("rms_" + std::to_string(d), std::to_string(std::sqrt(squares / 4096)));
  }
}

TEST(Comparison, AnOppositeFaceNeverHitsIfTheListAllowsForIt) {
  Faces faces(128, 5);
  const auto q = faces.Template();
  std::vector<std::int8_t> entries;
  for (std::size_t i = 0; i < kRingDegree; ++i) {
    for (const std::int8_t x : q) entries.push_back(static_cast<std::int8_t>(-x));
  }
  OneBlock block({.dimension = 128, .cos_min = -10000}, entries);
  for (int tau = 2000; tau <= 6000; tau += 1000) {
    const Probe probe = block.Blind(q);
    const auto hits =
        testing::CompareAll(block.RequesterShare(probe, q), block.HolderShare(probe.message()),
                            *block.profile.Threshold(tau));
    EXPECT_THAT(hits, ::testing::Each(0)) << tau;
  }
}

TEST(Comparison, OneSearchFindsTheOneWhoIsListedAndNobodyElse) {
  Faces faces(512, 9);
  const auto entries = faces.Templates(700);
  OneBlock block({.dimension = 512}, entries);
  testing::Search search(block, {0, 0, 0, 700}, {3 * 1024 + 5}, 5);
  const auto listed = std::span(entries).subspan(std::size_t{123} * 512, 512);
  const auto found = search.Run(listed, 4000);
  EXPECT_EQ(found.outcome, HitOutcome::kHits);
  EXPECT_THAT(found.slots, ::testing::ElementsAre(3 * 1024 + 124));
  EXPECT_EQ(search.Run(faces.Template(), 4000).outcome, HitOutcome::kNoHit);
  const auto withdrawn = std::span(entries).subspan(std::size_t{4} * 512, 512);
  EXPECT_EQ(search.Run(withdrawn, 4000).outcome, HitOutcome::kNoHit);
}

}  // namespace
}  // namespace comity::sealed
