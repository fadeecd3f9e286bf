// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <stop_token>
#include <thread>
#include <vector>

#include "services/runtime/descriptor.h"
#include "services/runtime/guarded.h"

namespace comity::store {

// Cuts lines to a database whose answer is overdue: libpq waits for ever, and a server that is
// silent behind a network that is not looks alive. After `stop` is requested, an answer is overdue
// after two seconds.
//
// Threads: thread-safe; one thread of its own. Lines must end before it does.
class LineWatch {
 public:
  using Time = std::chrono::steady_clock::time_point;

  explicit LineWatch(std::stop_token stop);
  const std::stop_token& stop() const { return stop_; }
  // Waits, at most until `end`; false: `stop` was requested.
  bool Wait(Time end);

 private:
  struct Watched {
    runtime::Descriptor socket;  // a copy of libpq's, which may close its own at any moment
    std::atomic<std::int64_t> began{0};
    std::atomic<std::int64_t> overdue{0};  // steady clock, nanoseconds; 0: no call
    std::atomic<bool> cut{false};
  };
  void Serve(const std::stop_token& end);
  void CutOverdue();

  const std::stop_token stop_;
  std::optional<Time> stopped_;  // of the thread alone
  runtime::Watched<std::vector<Watched*>> lines_;
  runtime::Watched<bool> waiting_;
  std::jthread thread_;  // last: uses all of the above

 public:
  // One line. Threads: thread-compatible.
  class Line {
   public:
    Line(LineWatch& watch, int socket);  // throws DatabaseError
    ~Line();
    Line(const Line&) = delete;
    Line& operator=(const Line&) = delete;
    bool was_cut() const { return watched_.cut; }

    // While it lives, the server owes an answer.
    class Call {
     public:
      Call(Line& line, std::chrono::milliseconds limit);
      ~Call() { line_.watched_.overdue = 0; }
      Call(const Call&) = delete;
      Call& operator=(const Call&) = delete;

     private:
      Line& line_;
    };

   private:
    LineWatch& watch_;
    Watched watched_;
  };
};

}  // namespace comity::store
