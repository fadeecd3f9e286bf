// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <random>
#include <span>
#include <vector>

#include "crypto/sealed/sketch_decode.h"
#include "crypto/sealed/threshold.h"
#include "tests/unit/crypto/sealed/samples.h"

namespace comity::sealed::testing {

// What an ideal oblivious transfer would leave both sides.
struct IdealPads {
  IdealPads(std::size_t slots, std::uint64_t seed) {
    std::mt19937_64 generator(seed);
    for (std::size_t i = 0; i < slots; ++i) {
      pads.push_back(generator());
      choices.push_back(static_cast<std::uint8_t>(generator() & 63));
      pad_bits.push_back(static_cast<std::uint8_t>(pads[i] >> choices[i] & 1));
    }
  }
  HolderPads holder() const { return {choices, pad_bits}; }

  std::vector<std::uint64_t> pads;
  std::vector<std::uint8_t> choices;
  std::vector<std::uint8_t> pad_bits;
};

// The comparison of all items, message by message, without masks.
inline std::vector<std::uint8_t> CompareAll(std::span<const std::uint32_t> b,
                                            std::span<const std::uint32_t> t,
                                            std::uint32_t threshold) {
  const IdealPads pads(b.size(), 99);
  const std::vector<std::uint8_t> masks(b.size(), 0);
  const Bytes offsets = EncodeOffsets(t, pads.holder());
  const auto tables = EncodeTables(
      {.threshold = threshold, .scores = b, .pads = pads.pads, .masks = masks}, offsets);
  const auto bits = OpenTables(t, pads.holder(), *tables);
  return {bits->Expose().begin(), bits->Expose().end()};
}

// Searches of a list whose only block with filled slots is the last one.
class Search {
 public:
  Search(OneBlock& block, const std::vector<std::uint32_t>& filled,
         const std::vector<std::uint32_t>& withdrawn, unsigned cap)
      : block_(block),
        slots_(*SlotSet::Create(filled, withdrawn)),
        table_(*SketchTable::Create(slots_, cap)) {}

  // `shift` is what a cheating holder adds to its shares: it lowers the threshold by as much.
  DecodedHits Run(std::span<const std::int8_t> q, std::int32_t tau, std::uint32_t shift = 0) {
    const Probe probe = block_.Blind(q);
    auto t = block_.HolderShare(probe.message());
    for (std::uint32_t& value : t) value = (value + shift) & kModulusMask;
    const auto b = block_.RequesterShare(probe, q);
    const auto masks = probe.Masks(slots_);
    return Finish(b, t, masks.Expose(), *block_.profile.Threshold(tau));
  }

  // Both sides from their shares of the block on.
  DecodedHits Finish(const Element& b, const Element& t, std::span<const std::uint8_t> masks,
                     std::uint32_t threshold) {
    std::vector<std::uint32_t> all_b(slots_.size());
    std::vector<std::uint32_t> all_t(slots_.size());
    slots_.Gather(slots_.blocks() - 1, b, all_b);
    slots_.Gather(slots_.blocks() - 1, t, all_t);
    const IdealPads pads(slots_.size(), ++searches_);
    const Bytes offsets = EncodeOffsets(all_t, pads.holder());
    const auto tables = EncodeTables(
        {.threshold = threshold, .scores = all_b, .pads = pads.pads, .masks = masks}, offsets);
    const Bytes sent = EncodeSketch(table_.Fold(masks));
    const auto bits = OpenTables(all_t, pads.holder(), *tables);
    const Sketch mine = table_.Fold(bits->Expose());
    return DecodeSketch(Difference(mine, *ParseSketch(sent, table_.cap())), slots_);
  }

  const SlotSet& slots() const { return slots_; }

 private:
  OneBlock& block_;
  SlotSet slots_;
  SketchTable table_;
  std::uint64_t searches_ = 0;
};

}  // namespace comity::sealed::testing
