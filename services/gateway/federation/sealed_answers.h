// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <span>
#include <thread>
#include <utility>

#include "comity/v1/sealed.pb.h"
#include "services/matching/holder_ports.h"

namespace comity::gateway {

// The message, padded to one size for one number of answers: what hit and what did not look alike
// to whoever sees only sizes.
v1::SealedAnswers AnswersToProto(std::uint64_t batch,
                                 std::span<const matching::ProbeAnswer> answers);

// When an answer leaves: `after` its question, or at a whole multiple of that if the work took
// longer. Who measures the time learns nothing of what the work was.
std::chrono::steady_clock::time_point LeavesAt(std::chrono::steady_clock::time_point asked,
                                               std::chrono::milliseconds after,
                                               std::chrono::steady_clock::time_point now);

// Answers that wait for their time to leave, in order. One thread of its own.
//
// Threads: thread-safe.
class AnswersInWaiting {
 public:
  using Time = std::chrono::steady_clock::time_point;
  // Gives it to the requester, if it may still leave. False: nothing more leaves.
  using Leave = std::function<bool()>;

  AnswersInWaiting() : thread_([this](const std::stop_token& stop) { Serve(stop); }) {}

  void Add(Time at, Leave leave);
  std::size_t size() const;
  // Waits until all that was added has left.
  void Finish(const std::stop_token& stop = {});

 private:
  void Serve(const std::stop_token& stop);

  mutable std::mutex mutex_;  // guards the members below
  std::condition_variable_any changed_;
  std::deque<std::pair<Time, Leave>> waiting_;
  bool over_ = false;
  std::jthread thread_;
};

}  // namespace comity::gateway
