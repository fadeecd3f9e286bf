// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <tl/expected.hpp>
#include <vector>

#include "policy/model/decision.h"
#include "policy/model/instant.h"
#include "services/matching/galleries.h"
#include "services/matching/holder_ports.h"
#include "services/matching/sealed_lists.h"

namespace comity::matching {

// The sealed lists that a session or one batch of it is compared with.
//
// In:      refs  untrusted
// Returns the lists as named, if they are those of the terms, all that are in force for them, each
// once. Errors: kListChanged     other lists or states are in force
//               kListNotCovered  more than a session carries: lists, blocks or slots, or no slot
tl::expected<std::vector<SealedListInForce>, policy::ReasonCode> FindSealedGround(
    const SearchTerms& terms, std::span<const SealedListRef> refs, const SealedLists& sealed,
    policy::Instant now);

// What is against a threshold, in 1e-4, that one of the lists was not made for.
std::optional<policy::ReasonCode> CheckTau(std::int32_t tau,
                                           std::span<const SealedListInForce> lists);

std::size_t SlotsOf(std::span<const SealedListInForce> lists);
std::vector<SealedListRef> RefsOf(std::span<const SealedListInForce> lists);

// Null: the list is not searched.
const GallerySnapshot* SnapshotOf(const Galleries::Snapshots& galleries,
                                  const policy::WatchlistId& list);
// Whether each list that something can hit is searched: else a probe of them is denied.
bool AllHaveGalleries(std::span<const SealedListInForce> lists,
                      const Galleries::Snapshots& galleries);

}  // namespace comity::matching
