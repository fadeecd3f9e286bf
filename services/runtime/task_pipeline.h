// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <deque>
#include <functional>
#include <future>
#include <thread>
#include <utility>

#include "crypto/base/result.h"

namespace comity::runtime {

// Runs tasks beside the caller, at most two for each core, and passes on what they give in the
// order in which they were started: for work that is read in an order, done in any, and used in
// that order again. What waits is bounded by the number of cores, never by the number of tasks.
// With one for each core every task that is late would keep the others from starting.
//
// A task may run until the pipeline is destroyed, which waits for those that are under way: what
// tasks refer to must outlive it. Where no thread can be had a task runs when its turn comes.
//
// Threads: thread-compatible; `take` runs in the thread that calls Start and Finish.
template <typename T>
class TaskPipeline {
 public:
  using Take = std::function<Status(T)>;
  explicit TaskPipeline(Take take) : take_(std::move(take)) {}

  // Waits for the earliest task if there are two for each core already.
  // Errors: the first of `take`; start no more after it
  Status Start(std::function<T()> task) {
    if (under_way_.size() >= most_) COMITY_RETURN_IF_ERROR(TakeEarliest());
    under_way_.push_back(std::async(std::launch::async | std::launch::deferred, std::move(task)));
    return {};
  }
  // Waits for all. Errors: the first of `take`; what comes after it is not passed on
  Status Finish() {
    while (!under_way_.empty()) COMITY_RETURN_IF_ERROR(TakeEarliest());
    return {};
  }

 private:
  static constexpr unsigned kMostCores = 16;
  static constexpr std::size_t kForEachCore = 2;

  Status TakeEarliest() {
    std::future<T> earliest = std::move(under_way_.front());
    under_way_.pop_front();
    return take_(earliest.get());
  }

  const std::size_t most_ =
      kForEachCore * std::clamp(std::thread::hardware_concurrency(), 1U, kMostCores);
  const Take take_;
  std::deque<std::future<T>> under_way_;
};

}  // namespace comity::runtime
