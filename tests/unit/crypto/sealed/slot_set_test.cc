// SPDX-License-Identifier: Apache-2.0
#include "crypto/sealed/slot_set.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/result_matchers.h"

namespace comity::sealed {
namespace {

using comity::testing::FailsWith;
using comity::testing::IsOk;
using Numbers = std::vector<std::uint32_t>;

TEST(SlotSet, HasFilledSlotsThatAreNotWithdrawnInOrder) {
  const auto set = *SlotSet::Create(Numbers{3, 0, 2}, Numbers{2050, 2, 2});
  EXPECT_THAT(set.numbers(), ::testing::ElementsAre(1, 3, 2049));
  EXPECT_EQ(set.blocks(), 3U);
  EXPECT_TRUE(set.Contains(3));
  for (const std::uint32_t number : {0U, 2U, 4U, 1025U, 2050U, 4'000'000'000U}) {
    EXPECT_FALSE(set.Contains(number)) << number;
  }
  EXPECT_EQ(SlotSet::BlockOf(1024), 0U);
  EXPECT_EQ(SlotSet::BlockOf(1025), 1U);
}

TEST(SlotSet, GathersTheCoefficientsOfItsSlots) {
  const auto set = *SlotSet::Create(Numbers{3, 0, 2}, Numbers{2});
  std::vector<std::uint32_t> all(set.size());
  Element values{};
  for (std::uint32_t i = 0; i < kRingDegree; ++i) values[i] = 100 + i;
  set.Gather(0, values, all);
  set.Gather(1, values, all);
  for (std::uint32_t& value : values) value += 1000;
  set.Gather(2, values, all);
  EXPECT_THAT(all, ::testing::ElementsAre(100, 102, 1100, 1101));
}

TEST(SlotSet, RefusesWhatIsNotInTheList) {
  EXPECT_THAT(SlotSet::Create(Numbers{1025}, {}), FailsWith(ErrorCode::kInvalidArgument));
  for (const std::uint32_t number : {0U, 4U, 1024U, 1025U, 4'000'000'000U}) {
    EXPECT_THAT(SlotSet::Create(Numbers{3, 0}, Numbers{number}),
                FailsWith(ErrorCode::kInvalidArgument));
  }
  EXPECT_THAT(SlotSet::Create(Numbers(1025, 0), {}), FailsWith(ErrorCode::kInvalidArgument));
  Numbers largest(1024, 0);
  largest.back() = 1023;
  EXPECT_THAT(SlotSet::Create(largest, {}), IsOk());
  largest.back() = 1024;  // its last number would not be an element of the field
  EXPECT_THAT(SlotSet::Create(largest, {}), FailsWith(ErrorCode::kInvalidArgument));
}

}  // namespace
}  // namespace comity::sealed
