// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "crypto/base/secret.h"
#include "policy/model/instant.h"
#include "services/runtime/guarded.h"

namespace comity::matching {

// One face on its way to one holder; its own copy of the template.
struct WindowProbe {
  std::uint64_t sequence = 0;
  std::string capture_ref;
  std::string camera;
  policy::Instant captured_at{};
  SecretBytes embedding;  // float32 little-endian
  std::string track{};    // of the engine; empty: none
};

// The faces of one stream that one holder has not answered, and the ledger by which each of them is
// answered to the engine exactly once: whoever settles a face answers it. A face is in the window
// from Offer() until it is settled, expired or drained, whether it waits to be sent, is being sent,
// or waits for the holder's answer.
//
// Threads: thread-safe. One thread calls Next().
class ProbeWindow {
 public:
  using Time = std::chrono::steady_clock::time_point;
  static constexpr std::size_t kSize = 64;

  // A face that was taken out without an answer of the holder.
  struct Left {
    std::uint64_t sequence = 0;
    std::string capture_ref;
    bool waiting = false;  // Next() had not given it out
  };

  // False: the window is full, or closed, or has this sequence; nothing is kept.
  bool Offer(WindowProbe probe, Time deadline);
  bool has_room() const;
  // Gives out the oldest face that waits; waits for one. Nothing: the window is closed and nothing
  // waits, or `stop` was requested.
  std::optional<WindowProbe> Next(const std::stop_token& stop);
  // The oldest that waits at this moment, if any does.
  std::optional<WindowProbe> TryNext();
  // Takes back a face that Next() gave out and that is still to be answered: it is given out again,
  // before the others. False: it is answered; nothing is kept.
  bool GiveBack(WindowProbe probe);
  // Whether the face is still to be answered.
  bool Holds(std::uint64_t sequence) const;
  // Takes the face out: true for one caller, who answers it.
  bool Settle(std::uint64_t sequence);
  // Takes out those whose deadline has come; the caller answers them.
  std::vector<Left> Expire(Time now);
  // Takes out all; the caller answers them.
  std::vector<Left> Drain();
  // From here on nothing is offered.
  void Close();
  // Waits until nothing is left; false when `until` comes first.
  bool AwaitEmpty(Time until);
  std::size_t size() const;

 private:
  struct Entry {
    Time deadline{};
    std::string capture_ref;
    bool waiting = true;
  };
  struct State {
    std::map<std::uint64_t, Entry> entries;
    std::deque<WindowProbe> queue;  // those that wait, oldest first; entries of some may be gone
    bool closed = false;
  };
  static std::optional<WindowProbe> TakeFirst(State& state);
  template <typename Wanted>
  std::vector<Left> TakeOut(Wanted&& wanted);

  runtime::Watched<State> state_;
};

}  // namespace comity::matching
