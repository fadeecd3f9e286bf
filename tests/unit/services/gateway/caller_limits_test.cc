// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <chrono>
#include <thread>

#include "services/gateway/wire/call_rate.h"
#include "services/gateway/wire/places.h"
#include "tests/support/result_matchers.h"

namespace comity::gateway {
namespace {

using comity::testing::FailsWith;
using comity::testing::IsOk;

TEST(Places, RefuseOneTooManyAndGiveBackAtTheEndOfTheScope) {
  Places places(2);
  const auto first = places.Take("eastvale-council", "limits.max_calls_per_peer");
  ASSERT_THAT(first, IsOk());
  {
    const auto second = places.Take("eastvale-council", "limits.max_calls_per_peer");
    ASSERT_THAT(second, IsOk());
    EXPECT_THAT(places.Take("eastvale-council", "limits.max_calls_per_peer"),
                FailsWith(ErrorCode::kExhausted));
  }
  EXPECT_THAT(places.Take("eastvale-council", "limits.max_calls_per_peer"), IsOk());
}

TEST(Places, OfOneNameAreNotTakenByAnother) {
  Places places(1);
  const auto council = places.Take("eastvale-council", "limits.max_calls_per_peer");
  ASSERT_THAT(council, IsOk());
  EXPECT_THAT(places.Take("riverside-health", "limits.max_calls_per_peer"), IsOk());
}

TEST(CallRate, AllowsABurstAndRefusesTheNext) {
  CallRate rate(0.001, 3);
  for (int i = 0; i < 3; ++i) EXPECT_THAT(rate.Take("eastvale-council"), IsOk());
  EXPECT_THAT(rate.Take("eastvale-council"), FailsWith(ErrorCode::kExhausted));
  EXPECT_THAT(rate.Take("riverside-health"), IsOk());
}

TEST(CallRate, RefillsWithTime) {
  CallRate rate(1000, 1);
  ASSERT_THAT(rate.Take("eastvale-council"), IsOk());
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(5);
  bool refilled = false;
  while (!refilled && std::chrono::steady_clock::now() < end) {
    refilled = rate.Take("eastvale-council").has_value();
    std::this_thread::yield();
  }
  EXPECT_TRUE(refilled);
}

}  // namespace
}  // namespace comity::gateway
