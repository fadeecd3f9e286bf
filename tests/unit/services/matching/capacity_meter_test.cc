// SPDX-License-Identifier: Apache-2.0
#include "services/matching/capacity_meter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "services/audit/events.h"
#include "services/matching/judge.h"
#include "tests/support/result_matchers.h"
#include "tests/unit/services/matching/holder_world.h"

namespace comity::matching {
namespace {

using comity::testing::FailsWith;
using comity::testing::IsOk;
using comity::testing::IsOkAnd;
using testing::HolderWorld;
using ::testing::SizeIs;

CapacityMeter::Key KeyOn(const HolderWorld& world, std::string day) {
  return {.agreement = world.Ref().id,
          .clause = "p1",
          .requester = world.council,
          .day = std::move(day)};
}

CapacityMeter::Ports PortsOf(HolderWorld& world) {
  return {.own_agency = world.police,
          .store = *world.store,
          .journal = *world.journal,
          .clock = world.clock};
}

std::uint64_t TakeAll(CapacityMeter& meter, const CapacityMeter::Key& key, std::uint64_t limit) {
  std::uint64_t taken = 0;
  for (;;) {
    const auto result = meter.Take(key, limit);
    EXPECT_THAT(result, IsOk());
    if (!result || !*result) return taken;
    ++taken;
  }
}

TEST(CapacityMeter, TakesExactlyTheLimit) {
  HolderWorld world;
  for (const std::uint64_t limit : {0U, 1U, 63U, 64U, 65U, 128U, 200U}) {
    CapacityMeter meter(PortsOf(world));
    auto key = KeyOn(world, "2027-01-15");
    key.clause = "limit-" + std::to_string(limit);
    EXPECT_EQ(TakeAll(meter, key, limit), limit);
    EXPECT_EQ(meter.Used(key), limit);
  }
}

TEST(CapacityMeter, ACrashCountsTheBlockAsUsedAndNeverExceedsTheLimit) {
  HolderWorld world;
  const auto key = KeyOn(world, "2027-01-15");
  std::uint64_t taken = 0;
  for (int life = 0; life < 4; ++life) {
    CapacityMeter meter(PortsOf(world));  // as after a crash: nothing but the store is left
    for (int i = 0; i < 10; ++i) {
      const auto result = meter.Take(key, 150);
      ASSERT_THAT(result, IsOk());
      taken += *result ? 1U : 0U;
    }
  }
  EXPECT_EQ(taken, 30U);  // blocks of 64, 64 and 22 were begun; the fourth life gets none
  CapacityMeter meter(PortsOf(world));
  EXPECT_EQ(meter.Used(key), 150U);
  EXPECT_EQ(TakeAll(meter, key, 150), 0U);
}

TEST(CapacityMeter, ReservesBeforeUseAndOncePerBlock) {
  HolderWorld world;
  CapacityMeter meter(PortsOf(world));
  const auto key = KeyOn(world, "2027-01-15");
  for (int i = 0; i < 65; ++i) ASSERT_THAT(meter.Take(key, 1000), IsOkAnd(true));
  const auto events = world.journal->Events(audit::kCapacityReserved);
  ASSERT_THAT(events, SizeIs(2));
  EXPECT_EQ(events[0].counts.at("reserved"), 64);
  EXPECT_EQ(events[1].counts.at("reserved"), 128);
  EXPECT_EQ(meter.Used(key), 65U);
}

TEST(CapacityMeter, CountsEachDayAndRequesterForItself) {
  HolderWorld world;
  CapacityMeter meter(PortsOf(world));
  const auto today = KeyOn(world, "2027-01-15");
  const auto tomorrow = KeyOn(world, "2027-01-16");
  auto other = today;
  other.requester = testing::Named<policy::AgencyId>("southmere-council");
  EXPECT_EQ(TakeAll(meter, today, 5), 5U);
  EXPECT_EQ(TakeAll(meter, other, 5), 5U);
  EXPECT_EQ(TakeAll(meter, tomorrow, 5), 5U);
  EXPECT_EQ(TakeAll(meter, today, 5), 0U);  // forgotten in memory, not in the store
}

TEST(CapacityMeter, ALimitThatWasLoweredHoldsAtOnce) {
  HolderWorld world;
  CapacityMeter meter(PortsOf(world));
  const auto key = KeyOn(world, "2027-01-15");
  for (int i = 0; i < 10; ++i) ASSERT_THAT(meter.Take(key, 100), IsOkAnd(true));
  EXPECT_THAT(meter.Take(key, 10), IsOkAnd(false));
  EXPECT_THAT(meter.Take(key, 11), IsOkAnd(true));
}

TEST(CapacityMeter, TakesNothingWhenTheReservationFails) {
  HolderWorld world;
  CapacityMeter meter(PortsOf(world));
  const auto key = KeyOn(world, "2027-01-15");
  world.journal->Refuse(true);
  EXPECT_THAT(meter.Take(key, 100), FailsWith(ErrorCode::kUnavailable));
  EXPECT_EQ(meter.Used(key), 0U);
  world.journal->Refuse(false);
  EXPECT_EQ(TakeAll(meter, key, 100), 100U);
}

TEST(CapacityMeter, IsExactUnderManyThreads) {
  HolderWorld world;
  CapacityMeter meter(PortsOf(world));
  const auto key = KeyOn(world, "2027-01-15");
  std::atomic<std::uint64_t> taken{0};
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([&] { taken += TakeAll(meter, key, 333); });
    }
  }
  EXPECT_EQ(taken, 333U);
}

TEST(Judge, DeniesAsUnreadableWhenCapacityCannotBeReserved) {
  HolderWorld world;
  const policy::Verdict verdict =
      policy::Consider(*world.agreements(), world.Request(), world.clock.Now());
  ASSERT_TRUE(verdict.capacity.has_value());
  world.journal->Refuse(true);
  const Judgement judgement =
      ConcludeAndTake(verdict, world.council, world.clock.Now(), *world.capacity);
  EXPECT_EQ(judgement.decision.code, policy::ReasonCode::kStateUnreadable);
  EXPECT_EQ(judgement.decision.hit_cap, 0U);
}

}  // namespace
}  // namespace comity::matching
