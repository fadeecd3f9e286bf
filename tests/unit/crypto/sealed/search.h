// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "crypto/sealed/sketch_decode.h"
#include "crypto/sealed/threshold.h"
#include "tests/unit/crypto/sealed/dealt_pads.h"
#include "tests/unit/crypto/sealed/samples.h"

namespace comity::sealed::testing {

// The comparison of all items, message by message, without masks.
inline std::vector<std::uint8_t> CompareAll(std::span<const std::uint32_t> b,
                                            std::span<const std::uint32_t> t,
                                            std::uint32_t threshold) {
  DealtPads pads(b.size(), 99);
  const std::vector<std::uint8_t> masks(b.size(), 0);
  ToldOffsets told = TellOffsets(t, pads.holder());
  const auto tables = CoverTables({.threshold = threshold, .scores = b, .masks = masks},
                                  told.message, pads.requester());
  const auto bits = OpenTables(t, std::move(told.openings), *tables);
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
    DealtPads pads(slots_.size(), ++searches_);
    ToldOffsets told = TellOffsets(all_t, pads.holder());
    const auto tables = CoverTables({.threshold = threshold, .scores = all_b, .masks = masks},
                                    told.message, pads.requester());
    const Bytes sent = EncodeSketch(table_.Fold(masks));
    const auto bits = OpenTables(all_t, std::move(told.openings), *tables);
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
