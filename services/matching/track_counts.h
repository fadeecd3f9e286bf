// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <set>
#include <span>
#include <string>

namespace comity::matching {

// Which frames of one face have been counted: alarms count faces, not frames. A requester that says
// of many faces that they are one gains no more than kMostProbes - 1 uncounted probes a track.
//
// Threads: thread-compatible.
class TrackCounts {
 public:
  using Track = std::array<std::uint8_t, 16>;
  static constexpr std::size_t kMostProbes = 3;     // of a track that count as one face
  static constexpr std::size_t kMostTracks = 4096;  // then the oldest is forgotten

  // Whether a probe of the track that hit these entries, perhaps none, is another frame of what was
  // counted; if not, it is to be counted now.
  bool IsCounted(const Track& track, std::span<const std::string> entries);

 private:
  struct Seen {
    std::size_t probes = 0;
    std::set<std::string> entries;
  };
  std::map<Track, Seen> seen_;
  std::deque<Track> order_;
};

}  // namespace comity::matching
