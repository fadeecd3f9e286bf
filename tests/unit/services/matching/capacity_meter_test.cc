// SPDX-License-Identifier: Apache-2.0
#include "services/matching/capacity_meter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <span>
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
          .day = std::move(day),
          .subject = {}};
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

std::vector<CapacityMeter::Demand> Demands(const HolderWorld& world, std::uint64_t all,
                                           std::uint64_t officer, std::uint64_t block) {
  CapacityMeter::Key key = KeyOn(world, "2027-01-15");
  std::vector<CapacityMeter::Demand> demands{{key, all, block}};
  key.subject = "officer:aa";
  demands.push_back({key, officer, block});
  return demands;
}

CapacityMeter::Key OfficerOf(CapacityMeter::Key key, std::size_t number) {
  key.subject = "officer:" + std::to_string(number);
  return key;
}

TEST(CapacityMeter, NamesThatAreMadeUpCostNobodyTheUnusedBlock) {
  HolderWorld world;
  CapacityMeter meter(PortsOf(world));
  const auto key = KeyOn(world, "2027-01-15");
  ASSERT_THAT(meter.Take(key, 1000), IsOkAnd(true));
  for (std::size_t i = 0; i < 66'000; ++i) {
    ASSERT_EQ(meter.Used(OfficerOf(key, i)), 0U);
  }
  EXPECT_EQ(meter.Used(key), 1U);
}

TEST(CapacityMeter, BoundsTheOfficersAndCasesOfOneRequester) {
  HolderWorld world;
  auto ports = PortsOf(world);
  ports.max_subjects = 20;
  CapacityMeter meter(std::move(ports));
  const auto key = KeyOn(world, "2027-01-15");
  ASSERT_THAT(meter.Take(key, 1000), IsOkAnd(true));
  std::size_t taken = 0;
  while (taken < 100 && meter.Take(OfficerOf(key, taken), 1000).value()) ++taken;
  EXPECT_EQ(taken, 19U);  // and the requester's own counter
  EXPECT_THAT(meter.Take(OfficerOf(key, 0), 1000), IsOkAnd(true));  // known ones go on
  EXPECT_THAT(meter.Take(key, 1000), IsOkAnd(true));
  EXPECT_EQ(meter.Used(key), 2U);
  auto other = OfficerOf(key, 1);
  other.requester = testing::Named<policy::AgencyId>("southmere-council");
  EXPECT_THAT(meter.Take(other, 1000), IsOkAnd(true));
  other.requester = key.requester;
  other.day = "2027-01-16";
  EXPECT_THAT(meter.Take(other, 1000), IsOkAnd(true));
}

TEST(CapacityMeter, CountersWithoutAnUnusedBlockMakeRoomForOthers) {
  HolderWorld world;
  auto ports = PortsOf(world);
  ports.max_subjects = 20;
  CapacityMeter meter(std::move(ports));
  auto key = KeyOn(world, "2027-01-15");
  for (std::size_t i = 0; i < 100; ++i) {
    const CapacityMeter::Demand demand{OfficerOf(key, i), 1000, 1};
    ASSERT_THAT(meter.TakeEach(std::span(&demand, 1)), IsOkAnd(std::optional<std::size_t>()));
  }
  EXPECT_EQ(meter.Used(OfficerOf(key, 0)), 1U);
}

TEST(CapacityMeter, TakesFromEachCounterOrFromNone) {
  HolderWorld world;
  CapacityMeter meter(PortsOf(world));
  const auto demands = Demands(world, 10, 3, CapacityMeter::kBlock);
  for (int i = 0; i < 3; ++i) {
    ASSERT_THAT(meter.TakeEach(demands), IsOkAnd(std::optional<std::size_t>()));
  }
  for (int i = 0; i < 4; ++i) {
    EXPECT_THAT(meter.TakeEach(demands), IsOkAnd(std::optional<std::size_t>(1)));
  }
  EXPECT_EQ(meter.Used(demands[0].key), 3U) << "what one refuses takes nothing from the other";
  EXPECT_EQ(meter.Used(demands[1].key), 3U);
}

TEST(CapacityMeter, OneUnitOfWorkReservesForAll) {
  HolderWorld world;
  CapacityMeter meter(PortsOf(world));
  world.journal->Refuse(true);
  const auto demands = Demands(world, 10, 3, CapacityMeter::kBlock);
  EXPECT_THAT(meter.TakeEach(demands), FailsWith(ErrorCode::kUnavailable));
  EXPECT_EQ(meter.Used(demands[0].key), 0U);
  EXPECT_EQ(meter.Used(demands[1].key), 0U);
  world.journal->Refuse(false);
  ASSERT_THAT(meter.TakeEach(demands), IsOkAnd(std::optional<std::size_t>()));
  const auto events = world.journal->Events(audit::kCapacityReserved);
  ASSERT_THAT(events, SizeIs(2));
  EXPECT_EQ(events[1].committed.at("counter"),
            world.Ref().id.text() + "/eastvale-council/officer:aa");
}

TEST(CapacityMeter, SinglyReservedProbesSurviveACrashToTheLast) {
  HolderWorld world;
  const auto demands = Demands(world, 10, 5, 1);
  int taken = 0;
  for (int life = 0; life < 10; ++life) {
    CapacityMeter meter(PortsOf(world));  // as after a crash: nothing but the store is left
    const auto full = meter.TakeEach(demands);
    ASSERT_THAT(full, IsOk());
    taken += *full ? 0 : 1;
  }
  EXPECT_EQ(taken, 5);
}

TEST(CapacityMeter, IsExactForOfficerAndAllUnderManyThreads) {
  HolderWorld world;
  CapacityMeter meter(PortsOf(world));
  std::atomic<std::uint64_t> taken{0};
  std::array<std::atomic<std::uint64_t>, 4> by_officer{};
  {
    std::vector<std::jthread> threads;
    for (std::size_t officer = 0; officer < by_officer.size(); ++officer) {
      for (int copy = 0; copy < 2; ++copy) {
        threads.emplace_back([&, officer] {
          auto demands = Demands(world, 333, 100, CapacityMeter::kBlock);
          demands[1].key.subject = "officer:" + std::to_string(officer);
          for (auto full = meter.TakeEach(demands); full && !*full;
               full = meter.TakeEach(demands)) {
            ++taken;
            ++by_officer[officer];
          }
        });
      }
    }
  }
  EXPECT_EQ(taken, 333U);
  for (const auto& one : by_officer) EXPECT_LE(one, 100U);
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
  const SearchCommitments subjects;
  const Judgement judgement =
      ConcludeAndTake(verdict, {world.council, subjects, world.clock.Now()}, *world.capacity);
  EXPECT_EQ(judgement.decision.code, policy::ReasonCode::kStateUnreadable);
  EXPECT_EQ(judgement.decision.hit_cap, 0U);
}

}  // namespace
}  // namespace comity::matching
