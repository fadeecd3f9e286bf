// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "crypto/sealed/slot_set.h"
#include "services/watchlists/sealed_publications.h"
#include "services/watchlists/sealed_publications_state.h"

// The release budget: what may leave under one block secret.
namespace comity::watchlists {
namespace {

using Releases = std::vector<store::SealedBlockRelease>;

// Hits of each block, in the order of `blocks`; absent: one is in a block that is not there, or not
// any more.
std::optional<std::vector<std::uint32_t>> HitsOf(const Releases& blocks,
                                                 const std::vector<std::uint32_t>& slots) {
  std::vector<std::uint32_t> hits(blocks.size());
  for (const std::uint32_t slot : slots) {
    const auto found = slot == 0 ? blocks.end()
                                 : std::ranges::lower_bound(blocks, sealed::SlotSet::BlockOf(slot),
                                                            {}, &store::SealedBlockRelease::number);
    if (found == blocks.end() || found->number != sealed::SlotSet::BlockOf(slot)) {
      return std::nullopt;
    }
    ++hits[static_cast<std::size_t>(found - blocks.begin())];
  }
  return hits;
}

bool IsUsedUp(const Releases& blocks) {
  return std::ranges::any_of(blocks, [](const store::SealedBlockRelease& block) {
    return block.released >= sealed::kReleaseBudget;
  });
}

bool IsResealed(const Releases& blocks, std::uint64_t sequence) {
  return std::ranges::any_of(
      blocks, [&](const store::SealedBlockRelease& block) { return block.resealed > sequence; });
}

}  // namespace

Result<sealed::Release> SealedPublications::ChargeRelease(store::Transaction& transaction,
                                                          const Charge& charge) {
  store::SealedListStore& lists = transaction.sealed_lists();
  if (charge.over_cap && !charge.slots.empty()) {
    return Fail(ErrorCode::kInvalidArgument, "an answer over the cap has no hits");
  }
  COMITY_ASSIGN_OR_RETURN(const Releases blocks, lists.Released(charge.header));
  if (blocks.empty()) return Fail(ErrorCode::kNotFound, "the sealed list has ended");
  if (IsResealed(blocks, charge.sequence)) return sealed::Release::kStaleBlock;
  const auto hits = HitsOf(blocks, charge.slots);
  if (!hits) return sealed::Release::kStaleBlock;
  std::vector<std::uint32_t> released;
  for (const store::SealedBlockRelease& block : blocks) released.push_back(block.released);
  const sealed::Release release =
      charge.over_cap ? sealed::ChargeOverCap(released) : sealed::ChargeAnswer(released, *hits);
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    if (released[i] == blocks[i].released) continue;
    COMITY_RETURN_IF_ERROR(lists.SetReleased(charge.header, blocks[i].number, released[i]));
  }
  return release;
}

Result<sealed::Release> SealedPublications::LookAtRelease(const Digest& header,
                                                          std::uint64_t sequence) const {
  sealed::Release release = sealed::Release::kStaleBlock;
  COMITY_RETURN_IF_ERROR(
      state_->setup.store.Read([&](const store::Transaction& transaction) -> Status {
        COMITY_ASSIGN_OR_RETURN(const Releases blocks, transaction.sealed_lists().Released(header));
        if (blocks.empty()) return Fail(ErrorCode::kNotFound, "the sealed list has ended");
        if (!IsUsedUp(blocks) && !IsResealed(blocks, sequence)) release = sealed::Release::kRelease;
        return {};
      }));
  return release;
}

bool SealedPublications::IsStale(const Digest& header) const {
  bool stale = true;
  const Status read =
      state_->setup.store.Read([&](const store::Transaction& transaction) -> Status {
        COMITY_ASSIGN_OR_RETURN(const Releases blocks, transaction.sealed_lists().Released(header));
        stale = blocks.empty() || IsUsedUp(blocks);
        return {};
      });
  return !read || stale;
}

std::optional<SealedScope> SealedPublications::NewestOf(const Digest& header) const {
  return state_->epochs.With([&](const State::Epochs& epochs) -> std::optional<SealedScope> {
    const auto found = epochs.find(header);
    if (found == epochs.end() || found->second->superseded) return std::nullopt;
    return found->second->scope;
  });
}

bool SealedPublications::NeedsBring(const SealedScope& scope) const {
  const SealedEpochPtr newest = state_->Newest(scope);
  return newest != nullptr && IsStale(newest->header());
}

}  // namespace comity::watchlists
