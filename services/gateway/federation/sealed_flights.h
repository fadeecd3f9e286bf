// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "crypto/base/bytes.h"
#include "services/casework/hit_opening.h"
#include "services/matching/probe_window.h"
#include "services/runtime/guarded.h"

namespace comity::gateway {

// A probe at the holder. Secret: the face, what opens the probe.
struct SealedFlight {
  matching::WindowProbe probe;
  std::uint64_t batch = 0;
  std::string track;
  std::shared_ptr<const casework::HitOpening> opening;
  std::map<std::string, Digest> messages{};  // what the log gets of it: BlindedMessages
  std::vector<Digest> states{};              // of the lists that it searches, in their order
  // The holder goes on with it, so its tables and its sketch leave: one search of its track.
  bool is_spent = false;
};

// The probes of a sealed link that wait for the holder's answer. Whoever takes one out answers it,
// or gives its face back, and with a face whose probe is not spent a search of its track. So what
// is taken out unspent is never spent afterwards: Spend() finds it gone, and nothing may leave.
//
// Threads: thread-safe.
class SealedFlights {
 public:
  using Time = std::chrono::steady_clock::time_point;

  // From here on they are those of this session. Call Return() for the one before.
  void Begin(std::string exchange);
  // In: number  of the probe in the session
  void Add(std::uint64_t number, SealedFlight flight);
  // The holder goes on with these probes of a batch. False: one of them is not there any more; then
  // none is spent, and no table may leave.
  // In: first  number of the batch's first probe; indices  in the batch
  bool Spend(std::uint64_t first, std::span<const std::size_t> indices);
  // Nothing: no such probe of this batch and session waits.
  std::optional<SealedFlight> Take(const std::string& exchange, std::uint64_t batch,
                                   std::uint64_t number);
  // All of this session.
  std::vector<SealedFlight> Return(const std::string& exchange);
  // Wipes what is secret of those whose face nobody waits for; they stay.
  void Forget(const std::function<bool(const matching::WindowProbe&)>& is_awaited);

  bool is_empty() const;
  // Waits until fewer than `most` batches are under way. False: `until` has come first.
  bool AwaitFewer(std::size_t most, Time until);
  bool AwaitNone(Time until) { return AwaitFewer(1, until); }

 private:
  struct Flights {
    std::string exchange;
    std::map<std::uint64_t, SealedFlight> by_number;
  };
  static std::size_t BatchesOf(const Flights& flights);

  runtime::Watched<Flights> flights_;
};

}  // namespace comity::gateway
