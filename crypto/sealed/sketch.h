// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "crypto/base/bytes.h"
#include "crypto/base/result.h"
#include "crypto/sealed/profile.h"
#include "crypto/sealed/slot_set.h"

namespace comity::sealed {

// The odd power sums S_1, S_3, .., S_(2c-1), c = cap + 2, of the numbers of some slots as elements
// of GF(2^20): the syndrome of a BCH code that corrects c errors. The requester sends that of its
// masks rho. The holder has m = hit ^ rho, so the difference of both sketches is that of the hits.
// Whatever the holder did, 20 c bits are all that it learns of the probe: so there is one sketch a
// probe, over all lists that it is compared with (PlacedSlots), and never one a list.
//
// sums[j] = S_(2j+1); secret where what it is made of is.
struct Sketch {
  unsigned cap = 0;
  std::array<std::uint32_t, kMaxCap + 2> sums{};

  std::size_t sum_count() const { return cap + 2; }
  bool operator==(const Sketch&) const = default;
};

// The encoding: sums of 20 bits, sum j in the bits 20j to 20j+19 of the string, least significant
// of an octet first; the rest of the last octet is zero.
constexpr std::size_t SketchBytes(unsigned cap) {
  return (20 * (std::size_t{cap} + 2) + 7) / 8;
}
Bytes EncodeSketch(const Sketch& sketch);
// In:     bytes  untrusted
// Errors: kInvalidArgument  cap outside 1..kMaxCap, a wrong length, or spare bits that are not zero
Result<Sketch> ParseSketch(ByteView bytes, unsigned cap);

// The sums of two sets are those of their symmetric difference. In: sketches of one cap.
Sketch Difference(const Sketch& left, const Sketch& right);

// Precomputed powers of the slots of a list, 32 octets a slot, which make folding fast.
//
// Threads: immutable.
class SketchTable {
 public:
  // Errors: kInvalidArgument  cap outside 1..kMaxCap, or a shifted number above kMaxSlotNumber
  static Result<SketchTable> Create(const PlacedSlots& placed, unsigned cap);
  static Result<SketchTable> Create(const SlotSet& slots, unsigned cap) {
    return Create(PlacedSlots{&slots}, cap);
  }

  unsigned cap() const { return cap_; }
  // The sketch of the slots whose item is 1.
  //
  // In:     bits  0 or 1 for each slot of the set, in its order
  // Secret: the bits and the sums; time depends on their number only
  Sketch Fold(std::span<const std::uint8_t> bits) const;

 private:
  // 20 (kMaxCap + 2) = 200 bits, in the order of the encoding.
  struct alignas(32) Row {
    std::array<std::uint64_t, 4> words{};
  };
  explicit SketchTable(unsigned cap) : cap_(cap) {}
  unsigned cap_;
  std::vector<Row> rows_;
};

}  // namespace comity::sealed
