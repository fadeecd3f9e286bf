// SPDX-License-Identifier: Apache-2.0
#include "services/gateway/federation/reading_time.h"

#include <gtest/gtest.h>

namespace comity::gateway {
namespace {

using namespace std::chrono_literals;
constexpr std::size_t kMiB = std::size_t{1} << 20;

TEST(ReadingTime, IsTheGraceAndASecondForEachMebibyte) {
  ReadingTime time(10s);
  EXPECT_EQ(time.For(0), 10s);
  EXPECT_EQ(time.For(kMiB), 11s);
  EXPECT_EQ(time.For(kMiB / 2), 11500ms);
}

TEST(ReadingTime, IsSpentByWaitingOnlyHoweverLongTheOctetsWereMade) {
  ReadingTime time(10s);
  for (int part = 0; part < 100; ++part) {
    EXPECT_GE(time.For(kMiB), 10s) << "whoever reads a MiB a second is never late";
    time.Spend(1s);
  }
}

TEST(ReadingTime, RunsOutForWhoeverReadsOctetByOctet) {
  ReadingTime time(10s);
  int parts = 0;
  for (; time.For(kMiB) > 0s; ++parts) time.Spend(9s);
  EXPECT_EQ(parts, 2);
  EXPECT_EQ(time.For(0), 0s);
}

}  // namespace
}  // namespace comity::gateway
