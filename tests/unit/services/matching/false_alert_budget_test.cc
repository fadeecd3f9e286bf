// SPDX-License-Identifier: Apache-2.0
#include "services/matching/false_alert_budget.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <limits>

namespace comity::matching {
namespace {

TEST(FalsePositiveRate, IsTheChanceOfAnyMatchInTheGallery) {
  EXPECT_EQ(FalsePositiveRate(0.1, 0), 0);
  EXPECT_NEAR(FalsePositiveRate(0.1, 1), 0.1, 1e-12);
  EXPECT_NEAR(FalsePositiveRate(0.1, 2), 0.19, 1e-12);
  EXPECT_NEAR(FalsePositiveRate(1e-3, 1000), 1 - std::pow(0.999, 1000), 1e-12);
}

TEST(FalsePositiveRate, DoesNotVanishForSmallRates) {
  // 1 - 1e-18 is 1 in double.
  EXPECT_NEAR(FalsePositiveRate(1e-18, 1'000'000) / 1e-12, 1, 1e-6);
}

TEST(FalseAlertBudget, OneFalseAlertIsNoRateYet) {
  EXPECT_EQ(UseOfBudget(1, 1, 1000), BudgetUse::kHalf);
  EXPECT_EQ(UseOfBudget(2, 1, 1000), BudgetUse::kUsedUp);
}

TEST(FalseAlertBudget, IsUsedUpAtItsRateAndNotBefore) {
  EXPECT_EQ(UseOfBudget(2, 2000, 1000), BudgetUse::kUsedUp);
  EXPECT_EQ(UseOfBudget(2, 2001, 1000), BudgetUse::kHalf);
  EXPECT_EQ(UseOfBudget(5, 5000, 1000), BudgetUse::kUsedUp);
  EXPECT_EQ(UseOfBudget(5, 5001, 1000), BudgetUse::kHalf);
}

TEST(FalseAlertBudget, WarnsAtHalf) {
  EXPECT_EQ(UseOfBudget(0, 0, 1000), BudgetUse::kKept);
  EXPECT_EQ(UseOfBudget(0, 100, 1000), BudgetUse::kKept);
  EXPECT_EQ(UseOfBudget(3, 6000, 1000), BudgetUse::kHalf);
  EXPECT_EQ(UseOfBudget(3, 6001, 1000), BudgetUse::kKept);
}

TEST(FalseAlertBudget, AgreesWithExactArithmetic) {
  for (std::uint32_t budget : {1U, 2U, 7U, 100U}) {
    for (std::uint64_t faces = 0; faces < 300; ++faces) {
      for (std::uint64_t count = 0; count < 20; ++count) {
        const bool used = count >= 2 && count * budget >= faces;
        const bool half = count >= 1 && count * budget * 2 >= faces;
        const BudgetUse expected =
            used ? BudgetUse::kUsedUp : (half ? BudgetUse::kHalf : BudgetUse::kKept);
        ASSERT_EQ(UseOfBudget(count, faces, budget), expected)
            << count << " in " << faces << ", budget " << budget;
      }
    }
  }
}

TEST(FalseAlertBudget, DoesNotOverflow) {
  constexpr std::uint64_t kMost = std::numeric_limits<std::uint64_t>::max();
  EXPECT_EQ(UseOfBudget(kMost, kMost, 1'000'000), BudgetUse::kUsedUp);
  EXPECT_EQ(UseOfBudget(2, kMost, 1'000'000), BudgetUse::kKept);
}

TEST(BudgetShare, FollowsTheEntries) {
  EXPECT_EQ(BudgetShare(0, 0), 0);
  EXPECT_EQ(BudgetShare(25, 100), 0.25);
}

}  // namespace
}  // namespace comity::matching
