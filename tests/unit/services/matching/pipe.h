// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <deque>
#include <optional>
#include <utility>

#include "services/runtime/guarded.h"

namespace comity::matching::testing {

// One direction of a stream between two gateways, within a process: messages come in order, and
// what was sent before it was closed still comes.
//
// Threads: thread-safe.
template <typename Message>
class Pipe {
 public:
  // False: closed; nobody will read it.
  bool Send(Message message) {
    return state_.With([&](State& state) {
      if (state.closed) return false;
      state.waiting.push_back(std::move(message));
      return true;
    });
  }
  // Waits. Nothing: closed, and all is read.
  std::optional<Message> Receive() {
    std::optional<Message> message;
    state_.WaitThen(
        {}, [](const State& state) { return state.closed || !state.waiting.empty(); },
        [&](State& state) {
          if (state.waiting.empty()) return;
          message = std::move(state.waiting.front());
          state.waiting.pop_front();
        });
    return message;
  }
  void Close() {
    state_.With([](State& state) { state.closed = true; });
  }
  bool is_closed() const {
    return state_.With([](const State& state) { return state.closed; });
  }

 private:
  struct State {
    std::deque<Message> waiting;
    bool closed = false;
  };
  runtime::Watched<State> state_;
};

}  // namespace comity::matching::testing
