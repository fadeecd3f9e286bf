// SPDX-License-Identifier: Apache-2.0
#include "services/gateway/federation/sealed_flights.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <chrono>

namespace comity::gateway {
namespace {

using std::chrono::steady_clock;
using ::testing::IsEmpty;
using ::testing::SizeIs;

const std::string kSession = "s-1";
constexpr std::uint64_t kFirst = 7;
constexpr std::array<std::size_t, 3> kAll{0, 1, 2};

// Three probes of batch 4, numbered from 7.
class SealedFlightsTest : public ::testing::Test {
 protected:
  SealedFlightsTest() {
    flights_.Begin(kSession);
    for (std::uint64_t i = 0; i < kAll.size(); ++i) Add(kFirst + i, 4);
  }
  void Add(std::uint64_t number, std::uint64_t batch) {
    SealedFlight flight;
    flight.probe.sequence = 100 + number;
    flight.probe.embedding = SecretBytes(16);
    flight.batch = batch;
    flight.track = "t" + std::to_string(number);
    flights_.Add(number, std::move(flight));
  }
  SealedFlights flights_;
};

TEST_F(SealedFlightsTest, AreTakenOutOnceByNumberBatchAndSession) {
  EXPECT_FALSE(flights_.Take("s-2", 4, 8));
  EXPECT_FALSE(flights_.Take(kSession, 5, 8));
  EXPECT_FALSE(flights_.Take(kSession, 4, 10));
  const auto flight = flights_.Take(kSession, 4, 8);
  ASSERT_TRUE(flight);
  EXPECT_EQ(flight->probe.sequence, 108U);
  EXPECT_EQ(flight->track, "t8");
  EXPECT_FALSE(flight->is_spent);
  EXPECT_FALSE(flights_.Take(kSession, 4, 8));
}

TEST_F(SealedFlightsTest, AreSpentOnceTheHolderGoesOnWithThem) {
  ASSERT_TRUE(flights_.Spend(kFirst, std::array<std::size_t, 2>{0, 2}));
  EXPECT_TRUE(flights_.Take(kSession, 4, 7)->is_spent);
  EXPECT_FALSE(flights_.Take(kSession, 4, 8)->is_spent);
  EXPECT_TRUE(flights_.Return(kSession).front().is_spent);
}

// Whose face was given back unspent must not have a table leave.
TEST_F(SealedFlightsTest, AreNotSpentWhenOneWasAnsweredMeanwhile) {
  EXPECT_FALSE(flights_.Take(kSession, 4, 8)->is_spent);
  EXPECT_FALSE(flights_.Spend(kFirst, kAll));
  for (const SealedFlight& left : flights_.Return(kSession)) EXPECT_FALSE(left.is_spent);
}

TEST_F(SealedFlightsTest, AreNotSpentWhenTheSessionHasEnded) {
  EXPECT_THAT(flights_.Return("s-2"), IsEmpty());
  EXPECT_THAT(flights_.Return(kSession), SizeIs(3));
  EXPECT_FALSE(flights_.Spend(kFirst, kAll));
  EXPECT_TRUE(flights_.is_empty());
}

TEST_F(SealedFlightsTest, RoomIsAwaitedNoLongerThanSaid) {
  Add(20, 5);
  EXPECT_TRUE(flights_.AwaitFewer(3, steady_clock::now()));
  EXPECT_FALSE(flights_.AwaitFewer(2, steady_clock::now() + std::chrono::milliseconds(5)));
  EXPECT_FALSE(flights_.AwaitNone(steady_clock::now()));
  ASSERT_TRUE(flights_.Take(kSession, 5, 20));
  EXPECT_TRUE(flights_.AwaitFewer(2, steady_clock::now()));
}

TEST_F(SealedFlightsTest, OfWhomNobodyWaitsForHoldNoFace) {
  flights_.Forget([](const matching::WindowProbe& probe) { return probe.sequence != 108; });
  EXPECT_EQ(flights_.Take(kSession, 4, 7)->probe.embedding.size(), 16U);
  EXPECT_EQ(flights_.Take(kSession, 4, 8)->probe.embedding.size(), 0U);
}

}  // namespace
}  // namespace comity::gateway
