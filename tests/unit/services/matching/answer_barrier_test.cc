// SPDX-License-Identifier: Apache-2.0
#include "services/matching/answer_barrier.h"

#include <gtest/gtest.h>

#include <atomic>
#include <optional>
#include <thread>
#include <utility>
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

TEST(AnswerBarrier, DrainWaitsForATicketThatIsHeld) {
  AnswerBarrier barrier;
  std::atomic<bool> drained{false};
  std::optional<AnswerBarrier::Ticket> held(barrier.Enter());
  std::jthread drainer([&] {
    barrier.Drain();
    drained = true;
  });
  for (int i = 0; i < 100; ++i) {
    std::this_thread::yield();
    EXPECT_FALSE(drained);
  }
  held.reset();
  drainer.join();
  EXPECT_TRUE(drained);
}

TEST(AnswerBarrier, DrainReturnsAlthoughThereIsAlwaysATicketOfLater) {
  AnswerBarrier barrier;
  std::atomic<bool> drained{false};
  std::optional<AnswerBarrier::Ticket> held(barrier.Enter());
  const std::jthread drainer([&] {
    barrier.Drain();
    drained = true;
  });
  while (!drained) {
    AnswerBarrier::Ticket next = barrier.Enter();
    held.emplace(std::move(next));  // the former one is let go only after the next is held
  }
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
