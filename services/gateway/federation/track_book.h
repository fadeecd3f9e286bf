// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <list>
#include <map>
#include <optional>
#include <string>

#include "comity/v1/recognition.pb.h"
#include "crypto/base/random.h"

namespace comity::gateway {

// How often each track was searched at one holder. Each sealed probe tells a holder that cheats a
// few bits of the face, so a track is searched at most three times, whatever becomes of the
// answers; a face without a track is a track of its own.
//
// Of the tracks not seen for longest the book forgets those beyond kMostTracks.
//
// Threads: thread-compatible.
class TrackBook {
 public:
  using Pseudonym = std::array<std::uint8_t, 16>;
  static constexpr int kMostProbes = 3;
  static constexpr std::size_t kMostTracks = 16'384;

  explicit TrackBook(RandomSource& random) : random_(random) {}

  // Takes one of the track's searches. False: it has none left.
  bool Take(const std::string& track);
  // Gives it back: nothing of the probe has left.
  void GiveBack(const std::string& track);
  // What a further probe of a track that has none left is answered: what its last search gave, or
  // that it has none left.
  v1::WatchAnswer Spent(const std::string& track) const;
  // What a search of it gave.
  void NoteAnswer(const std::string& track, const v1::Answered& answered);
  // What the holder sees of the track: random, the same for one track in one session.
  Pseudonym PseudonymOf(const std::string& track, const std::string& session);

 private:
  struct Track {
    int probes = 0;
    std::string session;
    Pseudonym pseudonym{};
    std::optional<v1::Answered> last;
    std::list<std::string>::iterator place;
  };
  Track& At(const std::string& track);

  RandomSource& random_;
  std::map<std::string, Track> tracks_;
  std::list<std::string> order_;  // seen last in front
};

}  // namespace comity::gateway
