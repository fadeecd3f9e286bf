// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <string>
#include <thread>
#include <vector>

#include "services/runtime/guarded.h"
#include "services/runtime/metrics.h"
#include "services/runtime/shutdown.h"
#include "tests/support/manual_clock.h"

// Guarded, Watched, Shutdown, Metrics and clocks: the parts of the runtime that threads share.
namespace comity::runtime {
namespace {

using std::chrono::steady_clock;

TEST(Guarded, LetsOneThreadInAtATime) {
  Guarded<int> counter(0);
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 8; ++i) {
      threads.emplace_back([&] {
        for (int n = 0; n < 1000; ++n) counter.With([](int& value) { ++value; });
      });
    }
  }
  EXPECT_EQ(std::as_const(counter).With([](const int& value) { return value; }), 8000);
}

TEST(Watched, WakesWhoWaitsForAChange) {
  Watched<std::vector<int>> queue;
  int taken = 0;
  std::jthread consumer([&] {
    EXPECT_TRUE(queue.WaitThen(
        {}, [](const auto& items) { return items.size() == 2; },
        [&](auto& items) { taken = items[0] + items[1]; }));
  });
  queue.With([](auto& items) { items.push_back(1); });
  queue.With([](auto& items) { items.push_back(2); });
  consumer.join();
  EXPECT_EQ(taken, 3);
}

TEST(Watched, StopsWaitingWhenAsked) {
  Watched<int> value(0);
  std::stop_source stop;
  std::jthread waiter([&] {
    EXPECT_FALSE(value.WaitThen(stop.get_token(), [](int) { return false; }, [](int&) { FAIL(); }));
  });
  stop.request_stop();
}

TEST(Watched, PrefersWhatIsReadyToAStop) {
  Watched<int> value(1);
  std::stop_source stop;
  stop.request_stop();
  EXPECT_TRUE(
      value.WaitThen(stop.get_token(), [](int v) { return v == 1; }, [](int& v) { v = 2; }));
  EXPECT_EQ(value.With([](int& v) { return v; }), 2);
}

TEST(Watched, StopsWaitingAtTheDeadline) {
  Watched<int> value(0);
  EXPECT_FALSE(value.WaitUntil(
      {}, steady_clock::now() + std::chrono::milliseconds(5), [](int) { return false; },
      [](int&) { FAIL(); }));
  EXPECT_TRUE(value.WaitUntil(
      {}, steady_clock::now() + std::chrono::hours(1), [](int v) { return v == 0; }, [](int&) {}));
}

class ShutdownBySignal : public ::testing::TestWithParam<int> {};

TEST_P(ShutdownBySignal, RequestsAStop) {
  Shutdown shutdown;
  EXPECT_FALSE(shutdown.token().stop_requested());
  ASSERT_EQ(::kill(::getpid(), GetParam()), 0);
  shutdown.Wait();
  EXPECT_TRUE(shutdown.token().stop_requested());
}
INSTANTIATE_TEST_SUITE_P(Signals, ShutdownBySignal, ::testing::Values(SIGTERM, SIGINT));

TEST(Shutdown, CanBeRequestedByTheProgram) {
  Shutdown shutdown;
  std::jthread other([&] { shutdown.Request(); });
  shutdown.Wait();
  EXPECT_TRUE(shutdown.token().stop_requested());
}

TEST(Shutdown, EndsWithoutAnySignal) {
  const auto begin = steady_clock::now();
  {
    const Shutdown shutdown;
  }
  EXPECT_LT(steady_clock::now() - begin, std::chrono::seconds(5));
}

TEST(Metrics, RendersCountersGaugesAndHistograms) {
  Metrics metrics;
  metrics.Counter({"comity_probes_total", "Probes."}, {{"code", "permit"}}).Add();
  metrics.Counter({"comity_probes_total", "Probes."}, {{"code", "permit"}}).Add(2);
  metrics.Counter({"comity_probes_total", "Probes."}, {{"code", "no-agreement"}}).Add();
  GaugeMetric streams = metrics.Gauge({"comity_streams", "Open streams."});
  streams.Set(5);
  streams.Add(-2);
  metrics.Histogram({"comity_commit_seconds", "Commits."}, {0.1, 1.0}).Observe(0.5);
  const std::string text = metrics.Render();
  for (const char* line :
       {"# HELP comity_probes_total Probes.\n", "# TYPE comity_probes_total counter\n",
        "comity_probes_total{code=\"permit\"} 3\n",
        "comity_probes_total{code=\"no-agreement\"} 1\n", "comity_streams 3\n",
        "comity_commit_seconds_bucket{le=\"0.1\"} 0\n",
        "comity_commit_seconds_bucket{le=\"1\"} 1\n", "comity_commit_seconds_count 1\n"}) {
    EXPECT_NE(text.find(line), std::string::npos) << line << "in\n" << text;
  }
}

TEST(Metrics, CountsFromManyThreads) {
  Metrics metrics;
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 8; ++i) {
      threads.emplace_back([&] {
        for (int n = 0; n < 100; ++n) metrics.Counter({"comity_total", "Total."}).Add();
      });
    }
  }
  EXPECT_NE(metrics.Render().find("comity_total 800\n"), std::string::npos);
}

TEST(MetricsDeathTest, EndsTheProcessWhenANameHasTwoKinds) {
  ::testing::FLAGS_gtest_death_test_style = "threadsafe";
  Metrics metrics;
  metrics.Counter({"comity_thing", "Thing."});
  EXPECT_DEATH(metrics.Gauge({"comity_thing", "Thing."}), "invariant broken");
}

TEST(SystemClock, IsCloseToTheSystemsTime) {
  const Instant before =
      std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now());
  EXPECT_GE(SystemClock().Now(), before);
}

TEST(ManualClock, StandsStillUntilItIsMoved) {
  testing::ManualClock clock(Instant(std::chrono::seconds(10)));
  EXPECT_EQ(clock.Now(), Instant(std::chrono::seconds(10)));
  clock.Advance(std::chrono::microseconds(1));
  EXPECT_EQ(EncodeTimestamp(clock.Now()), "1970-01-01T00:00:10.000001Z");
  clock.Set(Instant(std::chrono::sys_days(std::chrono::year(2028) / 2 / 29)));
  EXPECT_EQ(EncodeTimestamp(clock.Now()), "2028-02-29T00:00:00.000000Z");
}

}  // namespace
}  // namespace comity::runtime
