// SPDX-License-Identifier: Apache-2.0
#include "services/matching/answer_barrier.h"

#include <gtest/gtest.h>

#include <atomic>
#include <optional>
#include <thread>
#include <vector>

namespace comity::matching {
namespace {

TEST(AnswerBarrier, DrainReturnsAtOnceWithoutTickets) {
  AnswerBarrier barrier;
  barrier.Drain();
  {
    const auto ticket = barrier.Enter();
  }
  barrier.Drain();
  barrier.Drain();
}

TEST(AnswerBarrier, DrainWaitsForEarlierTicketsAndNotForLaterOnes) {
  AnswerBarrier barrier;
  std::optional<AnswerBarrier::Ticket> earlier(barrier.Enter());
  std::atomic<bool> drained{false};
  std::jthread drainer([&] {
    barrier.Drain();
    drained = true;
  });
  // Tickets that begin after Drain() do not hold it up; whichever of these did begin before it
  // ends.
  for (int i = 0; i < 100; ++i) const auto later = barrier.Enter();
  EXPECT_FALSE(drained);
  const auto later = barrier.Enter();
  earlier.reset();
  drainer.join();
  EXPECT_TRUE(drained);
}

// What a ticket holder read before a change is never used after the Drain() that follows the
// change.
TEST(AnswerBarrier, SeparatesOldReadersFromWhatFollowsTheDrain) {
  AnswerBarrier barrier;
  std::atomic<int> state{0};
  std::atomic<int> acknowledged{0};
  std::atomic<int> violations{0};
  std::vector<std::jthread> readers;
  for (int i = 0; i < 3; ++i) {
    readers.emplace_back([&](const std::stop_token& stop) {
      while (!stop.stop_requested()) {
        const auto ticket = barrier.Enter();
        const int seen = state;
        std::this_thread::yield();
        if (seen < acknowledged) ++violations;
      }
    });
  }
  for (int i = 1; i <= 500; ++i) {
    state = i;
    barrier.Drain();
    acknowledged = i;
  }
  readers.clear();
  EXPECT_EQ(violations, 0);
}

}  // namespace
}  // namespace comity::matching
