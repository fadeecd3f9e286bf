// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <concepts>
#include <functional>
#include <string>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include "crypto/base/result.h"
#include "services/runtime/logging.h"

namespace comity::gateway {

// What must be done again and again: one thread, one task after the other. A task that fails is
// logged and tried again at its next time; it does not keep the others from running.
//
// Threads: Add() before Start(); Start() and Stop() by the owner.
class Housekeeping {
 public:
  explicit Housekeeping(runtime::Logger& logger) : logger_(logger) {}

  static constexpr std::chrono::seconds kUsualPause{10};

  // In: name   for the log
  //     every  pause between two runs
  void Add(std::string name, std::chrono::milliseconds every, std::function<Status()> task);
  // One that cannot fail.
  template <typename Task>
    requires std::same_as<std::invoke_result_t<Task&>, void>
  void Add(std::string name, std::chrono::milliseconds every, Task task) {
    Add(std::move(name), every, std::function<Status()>([task = std::move(task)]() -> Status {
          task();
          return {};
        }));
  }
  // At the usual pause.
  template <typename Task>
  void Add(std::string name, Task task) {
    Add(std::move(name), kUsualPause, std::move(task));
  }
  void Start();
  void Stop();  // waits for the task that is running

 private:
  struct Task {
    std::string name;
    std::chrono::milliseconds every;
    std::function<Status()> run;
    std::chrono::steady_clock::time_point next{};
  };
  void Run(const std::stop_token& stop);

  runtime::Logger& logger_;
  std::vector<Task> tasks_;
  std::jthread thread_;
};

}  // namespace comity::gateway
