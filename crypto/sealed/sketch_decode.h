// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "crypto/sealed/sketch.h"
#include "crypto/sealed/slot_set.h"

namespace comity::sealed {

enum class HitOutcome { kNoHit, kHits, kOverCap };

struct DecodedHits {
  HitOutcome outcome = HitOutcome::kNoHit;
  std::vector<std::uint32_t> slots;  // rising slot numbers; 1..cap of them for kHits, else none
};

// Which slots hit, by their shifted numbers. `hits` is the difference of the holder's and the
// requester's sketch, so the requester controls it: everything that is not the sketch of 1..cap
// slots of the lists is over the cap.
//
// A set of more than cap slots passes for another one with probability about 2^-40 / cap! over its
// choice, since two more power sums than needed must agree.
//
// Leaks:   time depends on the number of hits and on the sums (at most about a millisecond), not on
//          the size of the list: answer at a fixed time
// Threads: pure function
//
// In: lists  whose shifted numbers are disjoint
DecodedHits DecodeSketch(const Sketch& hits, std::span<const PlacedSlots> lists);
inline DecodedHits DecodeSketch(const Sketch& hits, const SlotSet& slots) {
  const PlacedSlots placed{&slots};
  return DecodeSketch(hits, {&placed, 1});
}

}  // namespace comity::sealed
