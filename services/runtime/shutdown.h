// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <stop_token>
#include <thread>

namespace comity::runtime {

// Sleeps so long; false: `stop` was requested first. Threads: thread-safe.
bool SleepUnlessStopped(std::chrono::milliseconds time, const std::stop_token& stop);

// Turns SIGTERM and SIGINT into a stop request, whichever thread they reach. One object at a time;
// destroying it restores the default, which ends the process.
//
// Threads: thread-safe.
class Shutdown {
 public:
  Shutdown();
  ~Shutdown();
  Shutdown(const Shutdown&) = delete;
  Shutdown& operator=(const Shutdown&) = delete;

  // Requested at the first signal, or by Request().
  std::stop_token token() const { return source_.get_token(); }
  void Request() { source_.request_stop(); }
  // Blocks until the request is there.
  void Wait() const;

 private:
  std::stop_source source_;
  std::jthread listener_;
};

}  // namespace comity::runtime
