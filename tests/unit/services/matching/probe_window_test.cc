// SPDX-License-Identifier: Apache-2.0
#include "services/matching/probe_window.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <memory>
#include <random>
#include <set>
#include <thread>

#include "services/runtime/guarded.h"

namespace comity::matching {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using Time = ProbeWindow::Time;

Time At(int milliseconds) {
  return Time(std::chrono::milliseconds(milliseconds));
}

WindowProbe Face(std::uint64_t sequence) {
  const Bytes octets(16, static_cast<std::uint8_t>(sequence));
  return {.sequence = sequence,
          .capture_ref = "capture-" + std::to_string(sequence),
          .camera = "hall",
          .captured_at = {},
          .embedding = SecretBytes::CopyOf(octets)};
}

std::vector<std::uint64_t> SequencesOf(const std::vector<ProbeWindow::Left>& left) {
  std::vector<std::uint64_t> sequences;
  for (const auto& one : left) sequences.push_back(one.sequence);
  return sequences;
}

TEST(ProbeWindow, GivesFacesOutInTheOrderTheyCameWithTheirTemplate) {
  ProbeWindow window;
  ASSERT_TRUE(window.Offer(Face(3), At(10)));
  ASSERT_TRUE(window.Offer(Face(7), At(10)));
  const auto first = window.Next({});
  ASSERT_TRUE(first.has_value());
  EXPECT_EQ(first->sequence, 3U);
  EXPECT_EQ(first->embedding.Expose()[0], 3U);
  EXPECT_EQ(window.Next({})->sequence, 7U);
  EXPECT_EQ(window.size(), 2U) << "given out is not answered";
}

TEST(ProbeWindow, AFaceThatIsGivenBackComesBeforeThoseThatCameAfterIt) {
  ProbeWindow window;
  for (std::uint64_t i = 1; i <= 4; ++i) ASSERT_TRUE(window.Offer(Face(i), At(10)));
  auto first = window.Next({});
  auto second = window.TryNext();
  ASSERT_TRUE(first && second);
  EXPECT_TRUE(window.GiveBack(*std::move(second)));
  EXPECT_TRUE(window.GiveBack(*std::move(first)));
  for (std::uint64_t i = 1; i <= 4; ++i) {
    const auto next = window.TryNext();
    ASSERT_TRUE(next);
    EXPECT_EQ(next->sequence, i);
    EXPECT_EQ(next->embedding.Expose()[0], i);
  }
  EXPECT_FALSE(window.TryNext());
}

TEST(ProbeWindow, TakesBackNothingThatIsAnsweredOrWaits) {
  ProbeWindow window;
  ASSERT_TRUE(window.Offer(Face(1), At(10)));
  EXPECT_FALSE(window.GiveBack(Face(1)));
  auto face = window.Next({});
  ASSERT_TRUE(window.Settle(1));
  EXPECT_FALSE(window.GiveBack(*std::move(face)));
  EXPECT_FALSE(window.TryNext());
}

TEST(ProbeWindow, TakesNo65thFaceUntilOneIsAnswered) {
  ProbeWindow window;
  for (std::uint64_t i = 1; i <= 64; ++i) {
    EXPECT_TRUE(window.has_room());
    ASSERT_TRUE(window.Offer(Face(i), At(10)));
  }
  EXPECT_FALSE(window.has_room());
  EXPECT_FALSE(window.Offer(Face(65), At(10)));
  ASSERT_TRUE(window.Next({}).has_value());
  EXPECT_FALSE(window.Offer(Face(65), At(10))) << "what is at the holder counts too";
  EXPECT_TRUE(window.Settle(1));
  EXPECT_TRUE(window.Offer(Face(65), At(10)));
}

TEST(ProbeWindow, OneCallerSettlesAFace) {
  ProbeWindow window;
  ASSERT_TRUE(window.Offer(Face(1), At(10)));
  EXPECT_TRUE(window.Holds(1));
  EXPECT_TRUE(window.Settle(1));
  EXPECT_FALSE(window.Settle(1));
  EXPECT_FALSE(window.Holds(1));
  EXPECT_FALSE(window.Settle(2)) << "never offered";
  EXPECT_THAT(window.Expire(At(10)), IsEmpty());
}

TEST(ProbeWindow, RefusesASequenceThatItHas) {
  ProbeWindow window;
  ASSERT_TRUE(window.Offer(Face(1), At(10)));
  EXPECT_FALSE(window.Offer(Face(1), At(10)));
}

TEST(ProbeWindow, ExpiresAtTheDeadlineWhateverTheFaceIsDoing) {
  ProbeWindow window;
  ASSERT_TRUE(window.Offer(Face(1), At(100)));
  ASSERT_TRUE(window.Offer(Face(2), At(200)));
  ASSERT_TRUE(window.Offer(Face(3), At(200)));
  ASSERT_EQ(window.Next({})->sequence, 1U);
  EXPECT_THAT(window.Expire(At(99)), IsEmpty());
  const auto sent = window.Expire(At(100));
  ASSERT_THAT(sent, SizeIs(1));
  EXPECT_EQ(sent[0].capture_ref, "capture-1");
  EXPECT_FALSE(sent[0].waiting);
  const auto rest = window.Expire(At(200));
  EXPECT_THAT(SequencesOf(rest), ElementsAre(2, 3));
  EXPECT_TRUE(rest[0].waiting);
  EXPECT_FALSE(window.Settle(2)) << "an answer that comes later is nobody's";
}

TEST(ProbeWindow, AnExpiredFaceIsNotGivenOut) {
  ProbeWindow window;
  ASSERT_TRUE(window.Offer(Face(1), At(100)));
  ASSERT_TRUE(window.Offer(Face(2), At(200)));
  EXPECT_THAT(window.Expire(At(100)), SizeIs(1));
  EXPECT_EQ(window.Next({})->sequence, 2U);
}

TEST(ProbeWindow, AClosedOneTakesNothingAndGivesOutWhatItHas) {
  ProbeWindow window;
  ASSERT_TRUE(window.Offer(Face(1), At(10)));
  window.Close();
  EXPECT_FALSE(window.Offer(Face(2), At(10)));
  EXPECT_FALSE(window.has_room());
  EXPECT_EQ(window.Next({})->sequence, 1U);
  EXPECT_FALSE(window.Next({}).has_value());
  EXPECT_THAT(SequencesOf(window.Drain()), ElementsAre(1));
}

TEST(ProbeWindow, NextEndsWhenStoppedWithoutLosingTheFace) {
  ProbeWindow window;
  std::stop_source stop;
  std::jthread waiting([&] { EXPECT_FALSE(window.Next(stop.get_token()).has_value()); });
  stop.request_stop();
  waiting.join();
  ASSERT_TRUE(window.Offer(Face(1), At(10)));
  EXPECT_THAT(SequencesOf(window.Drain()), ElementsAre(1));
}

TEST(ProbeWindow, AwaitEmptyWaitsForTheLastAnswer) {
  ProbeWindow window;
  EXPECT_TRUE(window.AwaitEmpty(std::chrono::steady_clock::now()));
  ASSERT_TRUE(window.Offer(Face(1), At(10)));
  EXPECT_FALSE(window.AwaitEmpty(std::chrono::steady_clock::now() + 5ms));
  const std::jthread answer([&] { window.Settle(1); });
  EXPECT_TRUE(window.AwaitEmpty(std::chrono::steady_clock::now() + 10s));
}

// What a window should be, spelt out.
struct Model {
  struct Entry {
    int deadline = 0;
    bool waiting = true;
  };
  std::map<std::uint64_t, Entry> entries;
  std::vector<std::uint64_t> queue;

  std::optional<std::uint64_t> Next() {
    for (std::size_t i = 0; i < queue.size(); ++i) {
      const auto entry = entries.find(queue[i]);
      if (entry == entries.end() || !entry->second.waiting) continue;
      entry->second.waiting = false;
      return queue[i];
    }
    return std::nullopt;
  }
};

TEST(ProbeWindowProperty, BehavesLikeItsModelInRandomWalks) {
  constexpr int kWalks = 200;
  constexpr int kSteps = 500;
  std::mt19937_64 random(20261125);
  for (int walk = 0; walk < kWalks; ++walk) {
    ProbeWindow window;
    Model model;
    std::uint64_t next_sequence = 1;
    int now = 0;
    for (int step = 0; step < kSteps; ++step) {
      const auto pick = [&](std::uint64_t bound) { return random() % bound; };
      switch (pick(5)) {
        case 0:
        case 1: {
          const int deadline = now + static_cast<int>(pick(50));
          const bool fits = model.entries.size() < ProbeWindow::kSize;
          ASSERT_EQ(window.Offer(Face(next_sequence), At(deadline)), fits);
          if (fits) {
            model.entries[next_sequence] = {deadline, true};
            model.queue.push_back(next_sequence);
          }
          ++next_sequence;
          break;
        }
        case 2: {
          const auto expected = model.Next();
          if (!expected) break;  // it would wait
          const auto given = window.Next({});
          ASSERT_TRUE(given.has_value());
          ASSERT_EQ(given->sequence, *expected);
          break;
        }
        case 3: {
          const std::uint64_t sequence = pick(next_sequence + 1);
          ASSERT_EQ(window.Settle(sequence), model.entries.erase(sequence) == 1);
          break;
        }
        default: {
          now += static_cast<int>(pick(10));
          std::vector<std::uint64_t> expected;
          std::erase_if(model.entries, [&](const auto& item) {
            if (now < item.second.deadline) return false;
            expected.push_back(item.first);
            return true;
          });
          ASSERT_EQ(SequencesOf(window.Expire(At(now))), expected);
        }
      }
      ASSERT_EQ(window.size(), model.entries.size());
    }
  }
}

// Threads as around a real holder: one offers, one sends, one answers what was sent (or never
// does), one keeps the time. Every face must be answered exactly once, by one of them.
TEST(ProbeWindowProperty, EveryFaceIsAnsweredExactlyOnceBesideAllThreads) {
  constexpr std::uint64_t kFaces = 20'000;
  // On the heap: see matching::testing::HolderWorld::barrier_memory.
  const auto window = std::make_unique<ProbeWindow>();
  const auto answers = std::make_unique<std::array<std::atomic<int>, kFaces + 1>>();
  runtime::Watched<std::vector<std::uint64_t>> at_holder;
  std::atomic<std::uint64_t> busy{0};
  std::atomic<std::uint64_t> expired{0};
  std::atomic<int> now{0};
  std::atomic<bool> over{false};
  const auto answer = [&](std::uint64_t sequence) { ++(*answers)[sequence]; };
  // Only the holder answers these: their time does not come. The first one finds room.
  const auto is_patient = [](std::uint64_t sequence) { return sequence % 100 == 1; };

  std::jthread sender([&](const std::stop_token& stop) {
    while (const auto probe = window->Next(stop)) {
      if (!window->Holds(probe->sequence)) continue;
      at_holder.With([&](auto& sent) { sent.push_back(probe->sequence); });
    }
  });
  std::jthread holder([&] {
    std::mt19937_64 random(7);
    while (!over) {
      std::vector<std::uint64_t> batch;
      at_holder.With([&](auto& sent) { batch.swap(sent); });
      for (const std::uint64_t sequence : batch) {
        if (!is_patient(sequence) && random() % 8 == 0) continue;  // lost at the holder
        if (window->Settle(sequence)) answer(sequence);
      }
    }
  });
  std::jthread time([&] {
    while (!over) {
      for (const auto& left : window->Expire(At(++now))) {
        ++expired;
        answer(left.sequence);
      }
    }
  });
  for (std::uint64_t sequence = 1; sequence <= kFaces; ++sequence) {
    const int time_left = is_patient(sequence) ? 1'000'000'000 : 50;
    if (window->Offer(Face(sequence), At(now + time_left))) continue;
    ++busy;
    answer(sequence);
  }
  window->Close();
  EXPECT_TRUE(window->AwaitEmpty(std::chrono::steady_clock::now() + 60s));
  over = true;
  sender.join();
  holder.join();
  time.join();
  for (std::uint64_t sequence = 1; sequence <= kFaces; ++sequence) {
    ASSERT_EQ((*answers)[sequence], 1) << sequence;
  }
  EXPECT_LT(busy + expired, kFaces) << "some were answered by the holder";
}

}  // namespace
}  // namespace comity::matching
