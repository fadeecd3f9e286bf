// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "crypto/ot/pads.h"
#include "crypto/sealed/list_view.h"
#include "crypto/sealed/ntt.h"
#include "crypto/sealed/secret_array.h"
#include "crypto/sealed/sketch.h"
#include "services/matching/sealed/sealed_holder.h"

namespace comity::matching {

// One batch of the holder, against the state of the list that it began with.
class SealedHolder::Round {
 public:
  struct Item {
    sealed::Transformed probe;                   // c''
    std::optional<ot::HolderPads> pads;          // until the offsets are told
    std::optional<ot::HolderOpenings> openings;  // from then until the tables are opened
    sealed::SecretArray<std::uint32_t> shares;   // t, one a slot, as long
  };

  Round(std::shared_ptr<const sealed::EpochView> list,
        std::shared_ptr<const sealed::SketchTable> sketch, std::uint32_t first_block,
        std::vector<Item> items)
      : list_(std::move(list)),
        sketch_(std::move(sketch)),
        first_block_(first_block),
        items_(std::move(items)) {}

  // Computes t of an item.
  void Share(Item& item) const;
  // The probe that is next to be told offsets, or opened. Errors: kConflict  it is not `index`
  Result<Item*> NextToTell(std::size_t index);
  Result<Item*> NextToOpen(std::size_t index);

  sealed::PlacedSlots placed() const { return {&list_->slots(), first_block_}; }
  const sealed::SlotSet& slots() const { return list_->slots(); }
  const sealed::SketchTable& sketch() const { return *sketch_; }

 private:
  std::shared_ptr<const sealed::EpochView> list_;
  std::shared_ptr<const sealed::SketchTable> sketch_;
  std::uint32_t first_block_;
  std::vector<Item> items_;
  std::size_t told_ = 0;
  std::size_t opened_ = 0;
};

}  // namespace comity::matching
