// SPDX-License-Identifier: Apache-2.0
// Twenty holders, five of them dead: the others' answers neither wait nor get lost.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/integration/fanout_measure.h"

namespace comity::testing {
namespace {

TEST(FanoutScale, FiveDeadHoldersOfTwentyCostTheOthersNothing) {
  const FanoutSettings settings;
  const FanoutFigures figures = MeasureFanout(settings);
  fmt::print("{}\n", ToJson(figures));
  EXPECT_EQ(figures.answered, figures.expected_answered);
  EXPECT_EQ(figures.unanswered, figures.expected_unanswered);
  // Generous: builds with sanitizers on a busy machine pass too. A holder that another waits for
  // would cost seconds.
  EXPECT_LT(figures.with_dead.p99_ms, std::max(1000.0, 3 * figures.all_alive.p99_ms));
  EXPECT_LT(figures.slowest_unanswered_ms, 7'000) << "the deadline of a face is 5 s";
  ASSERT_EQ(figures.identified.size(), settings.holders);
  for (std::size_t i = 0; i < settings.holders; ++i) {
    const bool alive = i < settings.holders - kDeadHolders;
    EXPECT_EQ(figures.identified[i].status, alive ? "answered" : "unanswered") << i;
  }
  const auto deadline = static_cast<double>(settings.deadline.count());
  EXPECT_GE(figures.identify_ms, deadline);
  EXPECT_LT(figures.identify_ms, deadline + 3'000);
}

}  // namespace
}  // namespace comity::testing
