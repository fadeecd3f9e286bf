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
// The line can fail while it is used: Set, Cut, CutAfter.
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

  // What fails until it is said otherwise. Octets that are held leave when they are held no more:
  // to those who wait it is a peer that is silent, as when packets are lost for a while.
  struct Failure {
    bool holds_to_target = false;
    bool holds_from_target = false;
    bool refuses = false;  // new connections end at once
  };
  void Set(const Failure& failure);
  void Cut();                           // every connection ends, with what is on its way
  void CutAfter(std::uint64_t octets);  // the same, once so many more have entered; not 0

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
