// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>

#include "crypto/base/result.h"

namespace comity::testing {

// A TCP proxy on 127.0.0.1 that stands for a distant line: what enters it leaves it after a while,
// and no faster than the line carries. All connections share the line, one for each direction.
// Setting up a connection is not delayed, what is sent over it is; an end that one side makes
// reaches the other after the same time. A sender that is faster than the line is held back by TCP.
//
// Threads: thread-safe; one thread of its own, which ends with the object, as connections do.
class DelayProxy {
 public:
  struct Line {
    std::chrono::microseconds delay{};    // one way
    std::uint64_t octets_per_second = 0;  // 0: no limit
  };
  struct Setup {
    std::uint16_t target = 0;  // port of 127.0.0.1 that connections lead to
    Line to_target;
    Line from_target;
  };
  // Errors: kUnavailable  no socket is to be had
  static Result<std::unique_ptr<DelayProxy>> Start(const Setup& setup);
  DelayProxy(const DelayProxy&) = delete;
  DelayProxy& operator=(const DelayProxy&) = delete;
  ~DelayProxy();

  std::uint16_t port() const;  // to connect to
  // Octets that have entered the line in each direction so far, of all connections.
  std::uint64_t to_target_octets() const;
  std::uint64_t from_target_octets() const;

 private:
  class Loop;
  explicit DelayProxy(std::unique_ptr<Loop> loop);
  std::unique_ptr<Loop> loop_;
};

}  // namespace comity::testing
