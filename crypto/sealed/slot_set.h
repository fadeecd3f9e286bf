// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "crypto/base/result.h"
#include "crypto/sealed/ring.h"

namespace comity::sealed {

// The slots of a list that take part in searches: filled and not withdrawn. Both sides derive it
// from the signed header and the tombstones, so it is public.
//
// A slot's number is 1024 block + slot in the block + 1: from 1, with gaps where blocks are not
// full. Everything that goes over the wire for a probe has one item for each slot of this set, in
// rising order of numbers; `position` counts in that order.
//
// Threads: immutable.
class SlotSet {
 public:
  // In:     filled     for each block the number of its filled slots, 0..1024; at most 1024 blocks
  //         withdrawn  slot numbers in any order; of filled slots
  // Errors: kInvalidArgument  a count or number out of range, a withdrawn slot that is not filled,
  //                           or a number above kMaxSlotNumber
  static Result<SlotSet> Create(std::span<const std::uint32_t> filled,
                                std::span<const std::uint32_t> withdrawn);

  std::size_t size() const { return numbers_.size(); }
  std::size_t blocks() const { return block_starts_.size() - 1; }
  std::span<const std::uint32_t> numbers() const { return numbers_; }
  bool Contains(std::uint32_t number) const;
  static constexpr std::size_t BlockOf(std::uint32_t number) { return (number - 1) / kRingDegree; }

  // Copies the coefficients of the block's slots from `values` to their positions in `all`.
  // In: all  size() items
  void Gather(std::size_t block, ElementView values, std::span<std::uint32_t> all) const;

 private:
  SlotSet() = default;
  std::vector<std::uint32_t> numbers_;
  std::vector<std::size_t> block_starts_;  // position of each block's first slot, and size()
};

// A list among the lists that share a sketch: its slot numbers count from the end of those before.
struct PlacedSlots {
  const SlotSet* slots = nullptr;
  std::uint32_t first_block = 0;  // blocks of the lists before

  std::uint32_t shift() const { return first_block * static_cast<std::uint32_t>(kRingDegree); }
  bool Contains(std::uint32_t number) const {
    return number > shift() && slots->Contains(number - shift());
  }
};

}  // namespace comity::sealed
