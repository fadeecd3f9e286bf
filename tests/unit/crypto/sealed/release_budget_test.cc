// SPDX-License-Identifier: Apache-2.0
#include "crypto/sealed/release_budget.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

namespace comity::sealed {
namespace {

using ::testing::ElementsAre;
using Counts = std::vector<std::uint32_t>;

TEST(ReleaseBudget, CountsTheHitsOfAnswersThatLeave) {
  Counts released = {0, 3};
  EXPECT_EQ(ChargeAnswer(released, Counts{2, 0}), Release::kRelease);
  EXPECT_EQ(ChargeAnswer(released, Counts{0, 5}), Release::kRelease);
  EXPECT_THAT(released, ElementsAre(2, 8));
}

TEST(ReleaseBudget, AnExhaustedBlockMakesEverySearchStale) {
  Counts released = {1, 8};
  EXPECT_EQ(ChargeAnswer(released, Counts{0, 0}), Release::kStaleBlock);
  EXPECT_EQ(ChargeAnswer(released, Counts{1, 0}), Release::kStaleBlock);
  EXPECT_THAT(released, ElementsAre(1, 8));
}

TEST(ReleaseBudget, AnAnswerBeyondTheBudgetIsNotReleasedAndExhaustsItsBlock) {
  Counts released = {6, 0};
  EXPECT_EQ(ChargeAnswer(released, Counts{3, 1}), Release::kStaleBlock);
  EXPECT_THAT(released, ElementsAre(8, 0));
}

TEST(ReleaseBudget, AFreshBlockReleasesTheLargestCap) {
  Counts released = {0};
  EXPECT_EQ(ChargeAnswer(released, Counts{8}), Release::kRelease);
  EXPECT_THAT(released, ElementsAre(8));
}

TEST(ReleaseBudget, NoStoredNumberWrapsAround) {
  Counts released = {4294967295U, 0};
  EXPECT_EQ(ChargeAnswer(released, Counts{4294967295U, 1}), Release::kStaleBlock);
  EXPECT_THAT(released, ElementsAre(8, 0));
  released = {4294967295U};
  EXPECT_EQ(ChargeOverCap(released), Release::kStaleBlock);
}

TEST(ReleaseBudget, OverTheCapCountsForEveryBlock) {
  Counts released = {0, 7};
  EXPECT_EQ(ChargeOverCap(released), Release::kRelease);
  EXPECT_THAT(released, ElementsAre(1, 8));
  EXPECT_EQ(ChargeOverCap(released), Release::kStaleBlock);
  EXPECT_THAT(released, ElementsAre(1, 8));
}

}  // namespace
}  // namespace comity::sealed
