// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>

#include "crypto/base/result.h"

namespace comity::testing {

// A TCP proxy on 127.0.0.1 before a PostgreSQL server that breaks the line of a writer at a chosen
// moment of its commit.
//
// Threads: thread-safe; threads of its own, which end with the object.
class LineCutter {
 public:
  enum class Cut {
    kNever,
    kBeforeCommit,   // both sides are closed before the server hears of it
    kAfterCommit,    // both sides are closed when the server has answered
    kSwallowCommit,  // the server does not hear of it, and neither side of the other's silence
    kSwallowAnswer,  // the server has answered, which nobody hears
  };
  // Errors: kUnavailable  no socket is to be had
  static Result<std::unique_ptr<LineCutter>> Start(std::uint16_t server_port);
  LineCutter(const LineCutter&) = delete;
  LineCutter& operator=(const LineCutter&) = delete;
  ~LineCutter();

  std::uint16_t port() const;
  // The next group that is committed meets this; later ones do not. With `stay_down`, nobody gets
  // through after it.
  void Arm(Cut cut, bool stay_down = false);
  // True: whoever connects is let go at once. Lines that are open stay.
  void SetDown(bool down);
  void CutAll();
  // For good: the system drops every packet that comes to the proxy, from either side, without a
  // word, as when the machine between them loses its power: no reset, no answer to a probe or to
  // whoever connects.
  void Silence();
  int commits_met() const;  // how many of those that Arm asked for were met

 private:
  class Proxy;
  explicit LineCutter(std::unique_ptr<Proxy> proxy);
  std::unique_ptr<Proxy> proxy_;
};

}  // namespace comity::testing
