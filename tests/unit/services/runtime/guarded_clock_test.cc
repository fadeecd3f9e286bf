// SPDX-License-Identifier: Apache-2.0
#include "services/runtime/guarded_clock.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>
#include <vector>

#include "tests/support/manual_clock.h"

namespace comity::runtime {
namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::microseconds;
using std::chrono::seconds;
using ::testing::Eq;
using ::testing::Optional;

const Instant kStart(days(20'000));

class GuardedClockTest : public ::testing::Test {
 protected:
  // Time passes.
  void Pass(microseconds amount) {
    wall_.Advance(amount);
    boot_.fetch_add(amount.count());
  }
  // Somebody sets the machine's clock.
  void Set(microseconds by) { wall_.Advance(by); }

  testing::ManualClock wall_{kStart};
  std::atomic<microseconds::rep> boot_{microseconds(hours(5)).count()};
  const GuardedClock clock_{
      {[this] { return wall_.Now(); }, [this] { return microseconds(boot_.load()); }}};
};

TEST_F(GuardedClockTest, IsTheMachinesClock) {
  EXPECT_EQ(clock_.Now(), kStart);
  Pass(days(400));
  EXPECT_EQ(clock_.Now(), kStart + days(400));
  EXPECT_EQ(clock_.Jump(), std::nullopt);
}

TEST_F(GuardedClockTest, FollowsAStepOf30SecondsAndNoneBeyond) {
  for (const int direction : {1, -1}) {
    Set(direction * seconds(30));
    EXPECT_EQ(clock_.Now(), kStart + direction * seconds(30));
    EXPECT_EQ(clock_.Jump(), std::nullopt);
    Set(microseconds(direction));
    EXPECT_EQ(clock_.Now(), kStart);
    EXPECT_THAT(clock_.Jump(), Optional(Eq(direction * (seconds(30) + microseconds(1)))));
    wall_.Set(kStart);
  }
}

TEST_F(GuardedClockTest, GoesOnByItselfWhenTheClockIsSetAhead) {
  Set(days(365));
  Pass(hours(3));
  EXPECT_EQ(clock_.Now(), kStart + hours(3));
  EXPECT_THAT(clock_.Jump(), Optional(Eq(days(365))));
}

TEST_F(GuardedClockTest, GoesOnByItselfWhenTheClockIsSetBack) {
  Set(-hours(7));
  Pass(hours(3));
  EXPECT_EQ(clock_.Now(), kStart + hours(3));
  EXPECT_THAT(clock_.Jump(), Optional(Eq(-hours(7))));
}

TEST_F(GuardedClockTest, FollowsAgainWhenTheClockComesBack) {
  Set(hours(7));
  EXPECT_NE(clock_.Jump(), std::nullopt);
  Set(-hours(7) + seconds(2));
  EXPECT_EQ(clock_.Jump(), std::nullopt);
  EXPECT_EQ(clock_.Now(), kStart + seconds(2));
}

// NTP moves a clock by at most 2 s an hour without a step.
TEST_F(GuardedClockTest, FollowsADriftForEver) {
  for (int hour = 0; hour < 1000; ++hour) {
    Pass(hours(1));
    Set(seconds(2));
    ASSERT_EQ(clock_.Now(), wall_.Now()) << hour;
  }
  EXPECT_EQ(clock_.Jump(), std::nullopt);
}

TEST_F(GuardedClockTest, IsNotLedAwayByManySmallSteps) {
  for (int i = 0; i < 100; ++i) {
    Set(seconds(29));
    Pass(seconds(10));
    static_cast<void>(clock_.Now());
  }
  EXPECT_EQ(clock_.Now(), kStart + seconds(1000));
  EXPECT_NE(clock_.Jump(), std::nullopt);
}

TEST_F(GuardedClockTest, IsReadByManyThreadsWhileItFollows) {
  std::vector<std::jthread> readers;
  for (int i = 0; i < 4; ++i) {
    readers.emplace_back([&] {
      for (int read = 0; read < 2000; ++read) {
        EXPECT_LE(std::chrono::abs(clock_.Now() - wall_.Now()), hours(4 * 3));
      }
    });
  }
  for (int i = 0; i < 3; ++i) Pass(hours(2));
}

TEST(MachinesGuardedClock, IsTheSystemClockToAMillisecondOrSo) {
  const GuardedClock clock;
  EXPECT_LT(std::chrono::abs(clock.Now() - SystemClock().Now()), seconds(5));
  EXPECT_GT(clock.SinceBoot(), microseconds(0));
  EXPECT_EQ(clock.Jump(), std::nullopt);
}

}  // namespace
}  // namespace comity::runtime
