// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "comity/v1/recognition.pb.h"
#include "crypto/base/result.h"
#include "policy/model/ids.h"
#include "policy/model/instant.h"
#include "policy/model/term_set.h"
#include "policy/model/terms.h"

namespace comity::gateway {

// One face as it was asked for, checked.
struct EngineProbe {
  std::uint64_t sequence = 0;
  std::string capture_ref;
  std::string camera;
  policy::Instant captured_at{};
  std::string_view embedding;  // float32 little-endian; the caller wipes it
  std::string track{};         // <= 64 octets, opaque; empty: none
};

// Who asks, and is answered.
struct LinkAsker {
  // Thread-safe: called from all threads of a link.
  std::function<void(v1::WatchAnswer)> deliver;
  // The deployment was stopped: a hit that is under way becomes no alert any more.
  std::function<bool()> is_stopped;
  policy::TermSet<policy::ReceiverRole> roles;  // hits are cut to what these may see
};

// The requester's end of the search with one holder in one mode: takes faces, decides each, and
// answers each exactly once, at the latest at its deadline.
//
// Threads: Offer() by one thread, Tick() by another; Finish() by the owner. A holder that is slow
//          or out of reach holds up nobody who calls these.
class SearchLink {
 public:
  using Time = std::chrono::steady_clock::time_point;

  SearchLink() = default;
  SearchLink(const SearchLink&) = delete;
  SearchLink& operator=(const SearchLink&) = delete;
  virtual ~SearchLink() = default;

  virtual const policy::AgencyId& holder() const = 0;
  // Copies the face and returns at once; its answer comes through the asker, at the latest with the
  // first Tick() after `deadline`. With 64 unanswered that is at once, as `holder busy`.
  virtual void Offer(const EngineProbe& probe, Time deadline) = 0;
  virtual bool has_room() const = 0;
  // Expires old probes, ends a write that stalls, writes period entries. Some times a second.
  // Errors: those of the journal: without a log the stream must end
  virtual Status Tick(Time now) = 0;

  // No further probe will come.
  virtual void CloseWindow() = 0;
  // Waits until every probe is answered, or `until`. After CloseWindow().
  virtual void AwaitAnswers(Time until) = 0;
  // Begins to give up what is under way; for several links at once, before Finish() of each.
  virtual void Cancel() = 0;
  // Waits for that, answers what is left, ends the session and its log entries.
  virtual void Finish(std::string_view reason) = 0;
};

}  // namespace comity::gateway
