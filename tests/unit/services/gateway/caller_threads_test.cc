// SPDX-License-Identifier: Apache-2.0
// What bounds callers and folds warnings, from many threads at once. Free of gRPC, so that it runs
// under ThreadSanitizer.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "services/gateway/wire/call_rate.h"
#include "services/gateway/wire/places.h"
#include "services/gateway/wire/warning_fold.h"
#include "tests/support/manual_clock.h"

namespace comity::gateway {
namespace {

constexpr int kThreads = 4;
constexpr int kTimes = 2000;

void OnThreads(const std::function<void(int)>& work) {
  std::vector<std::jthread> threads;
  for (int i = 0; i < kThreads; ++i) threads.emplace_back([&work, i] { work(i); });
}

TEST(CallerThreads, NeverTakeMorePlacesThanThereAreAndGiveAllBack) {
  constexpr int kLimit = 3;
  Places places(kLimit);
  std::atomic<int> inside{0};
  std::atomic<int> most{0};
  OnThreads([&](int) {
    for (int i = 0; i < kTimes; ++i) {
      const auto place = places.Take("eastvale-council", "limits.max_streams");
      if (!place) continue;
      const int now = ++inside;
      int seen = most;
      while (now > seen && !most.compare_exchange_weak(seen, now)) {
      }
      --inside;
    }
  });
  EXPECT_LE(most, kLimit);
  std::vector<Places::Place> all;
  for (int i = 0; i < kLimit; ++i) {
    auto place = places.Take("eastvale-council", "limits.max_streams");
    ASSERT_TRUE(place);
    all.push_back(*std::move(place));
  }
  EXPECT_FALSE(places.Take("eastvale-council", "limits.max_streams"));
}

TEST(CallerThreads, ShareOneBurstOfCalls) {
  constexpr int kBurst = 50;
  CallRate rate(1e-9, kBurst);  // no token comes back within the test
  std::atomic<int> taken{0};
  OnThreads([&](int) {
    for (int i = 0; i < kTimes; ++i) {
      if (rate.Take("eastvale-council")) ++taken;
    }
  });
  EXPECT_EQ(taken, kBurst);
}

TEST(CallerThreads, EveryFailureIsInOneOfTheFoldedWarnings) {
  comity::testing::ManualClock clock;
  clock.Advance(std::chrono::hours(1));
  std::atomic<std::int64_t> told{0};
  WarningFold fold(clock, [&](const WarningFold::Warning&, std::int64_t times) { told += times; });
  OnThreads([&](int thread) {
    for (int i = 0; i < kTimes; ++i) {
      fold.Add({.subject = "partner-" + std::to_string(i % 7),
                .method = "Search",
                .correlation = std::to_string(i),
                .error = {ErrorCode::kInvalidArgument, "no"}});
      if (thread == 0 && i % 100 == 0) {
        clock.Advance(std::chrono::seconds(11));
        fold.WriteRepeats();
      }
    }
  });
  clock.Advance(std::chrono::seconds(11));
  fold.WriteRepeats();
  EXPECT_EQ(told, kThreads * kTimes);
}

}  // namespace
}  // namespace comity::gateway
