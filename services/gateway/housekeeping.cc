// SPDX-License-Identifier: Apache-2.0
#include "services/gateway/housekeeping.h"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <utility>

namespace comity::gateway {

using Clock = std::chrono::steady_clock;

void Housekeeping::Add(std::string name, std::chrono::milliseconds every,
                       std::function<Status()> task) {
  tasks_.push_back({std::move(name), every, std::move(task), Clock::now() + every});
}

void Housekeeping::Start() {
  thread_ = std::jthread([this](const std::stop_token& stop) { Run(stop); });
}

void Housekeeping::Stop() {
  if (!thread_.joinable()) return;
  thread_.request_stop();
  thread_.join();
}

void Housekeeping::Run(const std::stop_token& stop) {
  if (tasks_.empty()) return;
  std::mutex mutex;
  std::condition_variable_any wake;
  std::unique_lock lock(mutex);
  while (!stop.stop_requested()) {
    const auto next = std::ranges::min_element(tasks_, {}, &Task::next);
    wake.wait_until(lock, stop, next->next, [] { return false; });
    if (stop.stop_requested()) return;
    if (const Status done = next->run(); !done) {
      logger_.Error("housekeeping-failed", {{"task", next->name}, {"reason", done.error().detail}});
    }
    next->next = Clock::now() + next->every;
  }
}

}  // namespace comity::gateway
