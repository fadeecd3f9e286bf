// SPDX-License-Identifier: Apache-2.0
#include "services/measure/line_prediction.h"

#include <gtest/gtest.h>

namespace comity::measure {
namespace {

// 4 probes over 1,000 entries; figures that are easily added up.
BatchFigures SampleBatch() {
  BatchFigures batch;
  batch.probes = 4;
  batch.requester = 0.010;
  batch.holder = 0.005;
  batch.octets = {.to_holder = 40'000, .to_requester = 4'000};
  return batch;
}
constexpr PadFigures kPads{.requester = 1e-7, .holder = 2e-7, .octets = 20};
constexpr std::size_t kEntries = 1'000;

TEST(LinePrediction, ABatchTakesTwoRoundTripsItsOctetsAndTheWorkOfBoth) {
  const auto prediction =
      Predict({.round_trip = 0.020, .octets_per_second = 1e6}, SampleBatch(), kPads, kEntries);
  EXPECT_NEAR(prediction.batch, 2 * 0.020 + 0.044 + 0.015, 1e-12);
}

TEST(LinePrediction, PadsCountForTheRateButNotForABatch) {
  const auto prediction =
      Predict({.round_trip = 0, .octets_per_second = 1e6}, SampleBatch(), kPads, kEntries);
  // 4,000 + 4 x 1,000 x 20 octets to the requester.
  EXPECT_EQ(prediction.bottleneck, Bottleneck::kLineToRequester);
  EXPECT_NEAR(prediction.probes_per_second, 4 / 0.084, 1e-9);
  EXPECT_NEAR(prediction.batch, 0.044 + 0.015, 1e-12);
}

TEST(LinePrediction, OnAFastLineTheBusierSideDecides) {
  const LineTerms fast{.round_trip = 0, .octets_per_second = 1e12};
  const auto requester = Predict(fast, SampleBatch(), kPads, kEntries);
  EXPECT_EQ(requester.bottleneck, Bottleneck::kRequester);
  EXPECT_NEAR(requester.probes_per_second, 4 / (0.010 + 4'000 * 1e-7), 1e-9);
  BatchFigures batch = SampleBatch();
  batch.holder = 0.020;
  const auto holder = Predict(fast, batch, kPads, kEntries);
  EXPECT_EQ(holder.bottleneck, Bottleneck::kHolder);
  EXPECT_NEAR(holder.probes_per_second, 4 / (0.020 + 4'000 * 2e-7), 1e-9);
}

TEST(LinePrediction, TablesDecideWherePadsAreSmall) {
  const PadFigures small{.requester = 0, .holder = 0, .octets = 0.2};
  const auto prediction =
      Predict({.round_trip = 0.1, .octets_per_second = 1e6}, SampleBatch(), small, kEntries);
  EXPECT_EQ(prediction.bottleneck, Bottleneck::kLineToHolder);
  EXPECT_NEAR(prediction.probes_per_second, 4 / 0.040, 1e-9);
}

}  // namespace
}  // namespace comity::measure
