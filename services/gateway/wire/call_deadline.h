// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <grpcpp/server_context.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <stop_token>
#include <thread>

namespace comity::gateway {

// Cancels a call of which nothing is heard, or taken, for so long.
//
// Threads: one thread renews; has_passed() from any.
class CallDeadline {
 public:
  using Clock = std::chrono::steady_clock;
  CallDeadline(grpc::ServerContext& context, Clock::duration length)
      : length_(length), thread_([this, &context](const std::stop_token& stop) {
          std::mutex mutex;
          std::condition_variable_any wake;
          std::unique_lock lock(mutex);
          while (!stop.stop_requested()) {
            const Clock::time_point until{Clock::duration(until_)};
            has_passed_ = Clock::now() >= until;
            if (has_passed_) return context.TryCancel();
            wake.wait_until(lock, stop, until, [] { return false; });
          }
        }) {}
  void Renew() { until_ = TicksFromNow(); }
  // By so much longer, and never longer than from now on: whoever sends little at a time is waited
  // for no more than what it sends is worth.
  void Extend(Clock::duration by) { until_ = std::min(until_ + by.count(), TicksFromNow()); }
  bool has_passed() const { return has_passed_; }

 private:
  Clock::rep TicksFromNow() const { return (Clock::now() + length_).time_since_epoch().count(); }

  const Clock::duration length_;
  std::atomic<Clock::rep> until_{TicksFromNow()};
  std::atomic<bool> has_passed_{false};
  std::jthread thread_;  // last: it uses the others
};

}  // namespace comity::gateway
