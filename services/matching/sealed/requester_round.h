// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "crypto/ot/pads.h"
#include "crypto/sealed/list_view.h"
#include "crypto/sealed/probe.h"
#include "crypto/sealed/secret_array.h"
#include "crypto/sealed/sketch.h"
#include "services/matching/sealed/sealed_requester.h"

namespace comity::matching {

// One batch of the requester, against the state of the list that it began with.
class SealedRequester::Round {
 public:
  struct Item {
    sealed::Probe probe;
    sealed::SecretArray<std::uint32_t> scores;  // B, one a slot; empty before Score and after use
    std::optional<ot::RequesterPads> pads;
  };

  Round(std::uint64_t batch, std::shared_ptr<const sealed::ListView> list,
        std::shared_ptr<const sealed::SketchTable> sketch, std::vector<Item> items,
        sealed::SecretArray<std::int8_t> templates)
      : batch_(batch),
        list_(std::move(list)),
        sketch_(std::move(sketch)),
        items_(std::move(items)),
        templates_(std::move(templates)) {}

  void Score(sealed::Kernel kernel);
  // Errors: kInvalidArgument  not rising or out of range; kConflict  the second time
  Status SetAccepted(std::span<const std::size_t> indices);
  // The accepted probe that is next to be answered. Errors: kConflict  it is not `index`
  Result<Item*> Next(std::size_t index);

  std::uint64_t batch() const { return batch_; }
  const sealed::SlotSet& slots() const { return list_->slots(); }
  const sealed::SketchTable& sketch() const { return *sketch_; }
  Item& item(std::size_t index) { return items_[index]; }

 private:
  std::uint64_t batch_;
  std::shared_ptr<const sealed::ListView> list_;
  std::shared_ptr<const sealed::SketchTable> sketch_;
  std::vector<Item> items_;
  sealed::SecretArray<std::int8_t> templates_;  // one after the other; empty once scored
  std::optional<std::vector<std::size_t>> accepted_;
  std::size_t done_ = 0;  // accepted ones whose tables are made
};

}  // namespace comity::matching
