// SPDX-License-Identifier: Apache-2.0
#include "crypto/sealed/slot_set.h"

#include <algorithm>

#include "crypto/base/check.h"

namespace comity::sealed {

Result<SlotSet> SlotSet::Create(std::span<const std::uint32_t> filled,
                                std::span<const std::uint32_t> withdrawn) {
  if (filled.size() > (kMaxSlotNumber + 1) / kRingDegree ||
      std::ranges::any_of(filled, [](std::uint32_t count) { return count > kRingDegree; })) {
    return Fail(ErrorCode::kInvalidArgument, "a list of too many blocks or slots");
  }
  std::vector<std::uint32_t> tombstones(withdrawn.begin(), withdrawn.end());
  std::ranges::sort(tombstones);
  tombstones.erase(std::ranges::unique(tombstones).begin(), tombstones.end());
  SlotSet set;
  std::size_t found = 0;
  for (std::size_t block = 0; block < filled.size(); ++block) {
    set.block_starts_.push_back(set.numbers_.size());
    for (std::size_t slot = 0; slot < filled[block]; ++slot) {
      const auto number = static_cast<std::uint32_t>(block * kRingDegree + slot + 1);
      if (number > kMaxSlotNumber) {
        return Fail(ErrorCode::kInvalidArgument, "a slot number above 2^20 - 1");
      }
      if (found < tombstones.size() && tombstones[found] == number) {
        ++found;
      } else {
        set.numbers_.push_back(number);
      }
    }
  }
  set.block_starts_.push_back(set.numbers_.size());
  if (found != tombstones.size()) {
    return Fail(ErrorCode::kInvalidArgument, "a withdrawn slot that is not filled");
  }
  return set;
}

bool SlotSet::Contains(std::uint32_t number) const {
  return std::ranges::binary_search(numbers_, number);
}

void SlotSet::Gather(std::size_t block, ElementView values, std::span<std::uint32_t> all) const {
  COMITY_CHECK(block < blocks() && all.size() == size());
  for (std::size_t i = block_starts_[block]; i < block_starts_[block + 1]; ++i) {
    all[i] = values[(numbers_[i] - 1) % kRingDegree];
  }
}

}  // namespace comity::sealed
