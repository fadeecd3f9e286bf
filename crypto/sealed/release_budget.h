// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

#include "crypto/base/check.h"

namespace comity::sealed {

// The most hits that are ever released against one block secret. A cheating requester makes of each
// released hit one chosen bit about the secret, without any matching face: some 680 of them give
// the whole block, 8 leave 133 bits of security.
inline constexpr std::uint32_t kReleaseBudget = 8;

enum class Release {
  kRelease,     // the answer may leave; its hits are counted
  kStaleBlock,  // refuse the search: a block of it must be sealed again, under a fresh root
};

// Decide whether an answer may leave, and count it. The counters are persistent and shared by all
// that hold the block secrets: the caller runs these in one transaction, before the answer leaves,
// and only for answers that leave. A block whose counter has reached kReleaseBudget is sealed
// again; until then each search that includes it is refused, whether or not anything hit.
//
// In:      released  for each block of the search, the hits released so far; updated
// Threads: pure functions

// An answer of at most cap hits. One that would take a block beyond the budget is refused and
// exhausts that block, because the refusal says something too.
//
// In: hits  for each of these blocks, the hits of this answer
inline Release ChargeAnswer(std::span<std::uint32_t> released,
                            std::span<const std::uint32_t> hits) {
  COMITY_CHECK(released.size() == hits.size());
  bool stale = false;
  for (std::size_t block = 0; block < hits.size(); ++block) {
    // Neither side of the comparison can wrap, whatever was stored.
    const std::uint32_t left = kReleaseBudget - std::min(kReleaseBudget, released[block]);
    if (left == 0 || hits[block] > left) {
      released[block] = kReleaseBudget;
      stale = true;
    }
  }
  if (stale) return Release::kStaleBlock;
  for (std::size_t block = 0; block < hits.size(); ++block) released[block] += hits[block];
  return Release::kRelease;
}

// "Over the cap" is a bit that the requester learns, about every block of the list: it counts as
// one released hit for each.
inline Release ChargeOverCap(std::span<std::uint32_t> released) {
  const bool stale =
      std::ranges::any_of(released, [](std::uint32_t count) { return count >= kReleaseBudget; });
  if (stale) return Release::kStaleBlock;
  for (std::uint32_t& count : released) ++count;
  return Release::kRelease;
}

}  // namespace comity::sealed
