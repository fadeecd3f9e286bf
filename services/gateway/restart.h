// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <stop_token>
#include <string>
#include <utility>

#include "services/runtime/guarded.h"

namespace comity::gateway {

// The wish that the gateway ends and starts anew, with why. Threads: thread-safe.
class Restart {
 public:
  void Ask(std::string why) {
    why_.With([&](std::string& reason) { reason = std::move(why); });
  }
  // Waits until it is asked for and returns why; or until `stop`: empty.
  std::string Await(const std::stop_token& stop) {
    std::string why;
    why_.WaitThen(
        stop, [](const std::string& reason) { return !reason.empty(); },
        [&](const std::string& reason) { why = reason; });
    return why;
  }

 private:
  runtime::Watched<std::string> why_;
};

// The same wish while the gateway is still opening what it is about: it counts only if what it is
// about is what the gateway ends up with. A database that is lost and then opened again is no
// reason to start anew. Threads: thread-safe.
class PendingRestart {
 public:
  // In: ask  passes the wish on; must not block; may be null
  explicit PendingRestart(std::function<void(std::string)> ask) : ask_(std::move(ask)) {}
  // What was asked for until now was about something that is gone.
  void Forget() {
    state_.With([](State& state) { state.why.clear(); });
  }
  void Ask(std::string why) {
    state_.With([&](State& state) {
      state.why = std::move(why);
      PassOn(state);
    });
  }
  // What it is about stays: passes on what was asked for since Forget(), and from now on at once.
  void Settle() {
    state_.With([&](State& state) {
      state.is_settled = true;
      PassOn(state);
    });
  }

 private:
  struct State {
    bool is_settled = false;
    std::string why;
  };
  void PassOn(const State& state) {
    if (state.is_settled && !state.why.empty() && ask_) ask_(state.why);
  }

  const std::function<void(std::string)> ask_;
  runtime::Guarded<State> state_;
};

}  // namespace comity::gateway
