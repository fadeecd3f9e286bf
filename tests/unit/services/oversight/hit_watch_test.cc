// SPDX-License-Identifier: Apache-2.0
#include "services/oversight/hit_watch.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <vector>

#include "services/oversight/sliding_count.h"

namespace comity::oversight {
namespace {

using policy::Instant;
using std::chrono::hours;
using std::chrono::microseconds;
using std::chrono::seconds;

const Instant kStart = policy::ParseInstant("2026-11-25T08:00:00Z").value();

Digest Entry(std::uint32_t number) {
  Digest digest;
  for (std::size_t i = 0; i < 4; ++i) {
    digest.bytes[i] = static_cast<std::uint8_t>(number >> (8 * i));
  }
  return digest;
}

policy::Alarms Bounds() {
  policy::Alarms bounds;
  bounds.hit_rate_percent = 10;
  bounds.hit_rate_window = hours(1);
  bounds.repeated_hits_of_entry = 3;
  bounds.repeated_hits_window = seconds(60);
  return bounds;
}

// Everything that was ever counted, and the definition of the window: the slices that it touches.
class NaiveCount {
 public:
  explicit NaiveCount(seconds window) {
    const std::int64_t length = window.count();
    slice_ = (length + SlidingCount::kSlices - 1) / SlidingCount::kSlices;
    kept_ = (length + slice_ - 1) / slice_ + 1;
  }
  void Add(Instant at, std::uint64_t count) {
    newest_ = std::max(newest_, SliceOf(at));
    events_.emplace_back(newest_, count);
  }
  std::uint64_t Sum(Instant now) {
    newest_ = std::max(newest_, SliceOf(now));
    std::uint64_t sum = 0;
    for (const auto& [slice, count] : events_) {
      if (slice > newest_ - kept_) sum += count;
    }
    return sum;
  }

 private:
  std::int64_t SliceOf(Instant at) const {
    return at.time_since_epoch().count() / (slice_ * 1'000'000);
  }
  std::int64_t slice_ = 0;
  std::int64_t kept_ = 0;
  std::int64_t newest_ = 0;
  std::vector<std::pair<std::int64_t, std::uint64_t>> events_;
};

// The same for a watch.
struct NaiveWatch {
  explicit NaiveWatch(const policy::Alarms& given)
      : bounds(given), probes(given.hit_rate_window), hits(given.hit_rate_window) {}

  std::optional<HitAlarm::Kind> Hit(Instant at, const std::vector<Digest>& touched) {
    hits.Add(at, 1);
    for (const Digest& entry : touched) {
      entries.try_emplace(entry, bounds.repeated_hits_window).first->second.Add(at, 1);
    }
    const auto base = static_cast<double>(std::max<std::uint64_t>(probes.Sum(at), 100));
    if (static_cast<double>(hits.Sum(at)) * 100 > bounds.hit_rate_percent * base) {
      return HitAlarm::Kind::kHitRate;
    }
    for (const Digest& entry : touched) {
      if (entries.at(entry).Sum(at) >= bounds.repeated_hits_of_entry) {
        return HitAlarm::Kind::kRepeatedHits;
      }
    }
    return std::nullopt;
  }

  policy::Alarms bounds;
  NaiveCount probes;
  NaiveCount hits;
  std::map<Digest, NaiveCount> entries;
};

TEST(SlidingCount, NeverForgetsWithinItsWindowAndForgetsSoonAfter) {
  for (const seconds window :
       {seconds(1), seconds(60), seconds(241), seconds(3600), seconds(86400)}) {
    const seconds slice((window.count() + 239) / 240);
    for (int offset = 0; offset < 50; ++offset) {
      SlidingCount count(window);
      const Instant begin = kStart + microseconds(offset * 123'457);
      count.Add(begin, 2);
      EXPECT_EQ(count.Sum(begin + window - microseconds(1)), 2u);
      EXPECT_EQ(count.Sum(begin + window + 2 * slice), 0u);
    }
  }
}

TEST(SlidingCount, TimeThatRunsBackwardsForgetsNothing) {
  SlidingCount count(seconds(60));
  count.Add(kStart, 1);
  count.Add(kStart - hours(5), 1);
  EXPECT_EQ(count.Sum(kStart - hours(9)), 2u);
  EXPECT_EQ(count.Sum(kStart), 2u);
}

TEST(SlidingCount, AgreesWithANaiveCountOverRandomWalks) {
  std::mt19937_64 random(20261125);
  for (const seconds window :
       {seconds(1), seconds(7), seconds(240), seconds(1000), seconds(86400)}) {
    SlidingCount count(window);
    NaiveCount naive(window);
    Instant now = kStart;
    for (int step = 0; step < 2000; ++step) {
      // Mostly small steps, some beyond the window, some backwards.
      const auto kind = random() % 20;
      const std::int64_t most = window.count() * 1'000'000 / 100 + 2;
      std::int64_t by = static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(most));
      if (kind == 0) by *= 150;
      if (kind == 1) by = -by;
      now += microseconds(by);
      const std::uint64_t amount = random() % 3;
      count.Add(now, amount);
      naive.Add(now, amount);
      ASSERT_EQ(count.Sum(now), naive.Sum(now)) << window.count() << " s, step " << step;
    }
  }
}

TEST(HitWatch, RaisesTheRateAlarmAboveTheBoundAndNotAtIt) {
  policy::Alarms bounds = Bounds();
  bounds.repeated_hits_of_entry = 1000;
  HitWatch watch(bounds);
  watch.AddProbes(kStart, 200);
  for (std::uint32_t i = 0; i < 20; ++i) {
    const std::vector<Digest> entries = {Entry(i)};
    watch.AddHit(kStart, entries);
    EXPECT_FALSE(watch.Check(kStart, entries).has_value()) << i;
  }
  const std::vector<Digest> entries = {Entry(20)};
  watch.AddHit(kStart, entries);
  const auto alarm = watch.Check(kStart, entries);
  ASSERT_TRUE(alarm.has_value());
  EXPECT_EQ(alarm->kind, HitAlarm::Kind::kHitRate);
  EXPECT_EQ(alarm->hits, 21u);
  EXPECT_EQ(alarm->probes, 200u);
}

TEST(HitWatch, TakesTheRateOfAHundredProbesAtLeast) {
  HitWatch watch(Bounds());
  for (std::uint32_t i = 0; i < 10; ++i) {
    const std::vector<Digest> entries = {Entry(i)};
    watch.AddProbes(kStart, 1);
    watch.AddHit(kStart, entries);
    EXPECT_FALSE(watch.Check(kStart, entries).has_value()) << i;
  }
  const std::vector<Digest> entries = {Entry(10)};
  watch.AddHit(kStart, entries);
  EXPECT_TRUE(watch.Check(kStart, entries).has_value());
}

TEST(HitWatch, RaisesTheRepeatAlarmAtTheBoundWithinTheWindowOnly) {
  HitWatch watch(Bounds());
  const std::vector<Digest> entries = {Entry(1), Entry(2)};
  const auto hit = [&](seconds after) {
    watch.AddProbes(kStart + after, 100);
    watch.AddHit(kStart + after, entries);
    return watch.Check(kStart + after, entries);
  };
  EXPECT_FALSE(hit(seconds(0)).has_value());
  EXPECT_FALSE(hit(seconds(30)).has_value());
  // The first has left the window.
  EXPECT_FALSE(hit(seconds(62)).has_value());
  const auto alarm = hit(seconds(63));
  ASSERT_TRUE(alarm.has_value());
  EXPECT_EQ(alarm->kind, HitAlarm::Kind::kRepeatedHits);
  EXPECT_EQ(alarm->hits, 3u);
}

TEST(HitWatch, KeepsABoundedNumberOfEntriesAndAlarmsBeyondIt) {
  policy::Alarms bounds = Bounds();
  bounds.hit_rate_percent = 100;
  HitWatch watch(bounds);
  watch.AddProbes(kStart, 1'000'000);
  std::optional<HitAlarm> alarm;
  std::uint32_t number = 0;
  for (; !alarm && number < 2 * HitWatch::kMaxEntries; ++number) {
    const std::vector<Digest> entries = {Entry(number)};
    watch.AddHit(kStart, entries);
    alarm = watch.Check(kStart, entries);
  }
  ASSERT_TRUE(alarm.has_value());
  EXPECT_EQ(alarm->kind, HitAlarm::Kind::kManyEntries);
  EXPECT_EQ(number, HitWatch::kMaxEntries + 1);
  // Once they have left the window there is room again.
  const std::vector<Digest> entries = {Entry(7)};
  watch.AddHit(kStart + hours(2), entries);
  EXPECT_FALSE(watch.Check(kStart + hours(2), entries).has_value());
}

TEST(HitWatch, AgreesWithANaiveWatchOverRandomWalks) {
  std::mt19937_64 random(7);
  std::map<int, int> seen;
  for (int walk = 0; walk < 20; ++walk) {
    policy::Alarms bounds;
    bounds.hit_rate_percent = 5 + static_cast<double>(random() % 60);
    bounds.hit_rate_window = seconds(1 + static_cast<std::int64_t>(random() % 5000));
    bounds.repeated_hits_of_entry = static_cast<std::uint32_t>(2 + random() % 12);
    bounds.repeated_hits_window = seconds(1 + static_cast<std::int64_t>(random() % 500));
    HitWatch watch(bounds);
    NaiveWatch naive(bounds);
    Instant now = kStart;
    for (int step = 0; step < 500; ++step) {
      now += microseconds(random() % 20'000'000);
      watch.AddProbes(now, 1);
      naive.probes.Add(now, 1);
      if (random() % 3 != 0) continue;
      std::vector<Digest> entries;
      for (std::uint64_t i = 0; i <= random() % 3; ++i) {
        const Digest entry = Entry(static_cast<std::uint32_t>(random() % 8));
        if (std::find(entries.begin(), entries.end(), entry) == entries.end()) {
          entries.push_back(entry);
        }
      }
      watch.AddHit(now, entries);
      const auto alarm = watch.Check(now, entries);
      const auto expected = naive.Hit(now, entries);
      ASSERT_EQ(alarm.has_value(), expected.has_value()) << walk << "/" << step;
      if (alarm) {
        ASSERT_EQ(alarm->kind, *expected);
      }
      ++seen[alarm ? static_cast<int>(alarm->kind) : -1];
    }
  }
  // The walks went everywhere they can.
  EXPECT_GT(seen[-1], 100);
  EXPECT_GT(seen[static_cast<int>(HitAlarm::Kind::kHitRate)], 100);
  EXPECT_GT(seen[static_cast<int>(HitAlarm::Kind::kRepeatedHits)], 100);
}

}  // namespace
}  // namespace comity::oversight
