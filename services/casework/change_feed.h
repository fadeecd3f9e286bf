// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <stop_token>
#include <vector>

#include "crypto/base/result.h"
#include "services/casework/alert.h"

namespace comity::casework {

// One reader's view of the changes of alerts: each alert as it is stored, merged or acknowledged,
// in the order of the commits, from the moment of subscribing.
//
// Threads: thread-safe; meant for one reader. Outlives the feed safely.
class Subscription {
 public:
  static constexpr std::size_t kMaxWaiting = 256;

  struct Queue;
  explicit Subscription(std::shared_ptr<Queue> queue) : queue_(std::move(queue)) {}
  ~Subscription();
  Subscription(const Subscription&) = delete;
  Subscription& operator=(const Subscription&) = delete;

  // Waits for the next change. Empty: the deadline passed, `stop` was requested or the feed is gone
  // (see closed()).
  //
  // Errors: kExhausted  the reader was kMaxWaiting changes behind and lost some; the subscription
  //                     has ended: list the alerts and subscribe again
  Result<std::optional<Alert>> Next(std::stop_token stop,
                                    std::chrono::steady_clock::time_point deadline);
  bool closed() const;

 private:
  std::shared_ptr<Queue> queue_;
};

// Hands committed changes to the subscribers in the order of their commits, although the threads
// that committed them come back in any order.
//
// Threads: thread-safe.
class ChangeFeed {
 public:
  using Ticket = std::uint64_t;
  ChangeFeed();
  ~ChangeFeed();

  std::unique_ptr<Subscription> Subscribe();
  // Called inside a unit of work, where the order is decided. Every ticket must be finished.
  Ticket Take();
  // `changes`: what the unit of work wrote; empty if it was not committed.
  void Finish(Ticket ticket, std::vector<Alert> changes);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace comity::casework
