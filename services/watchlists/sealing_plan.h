// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "crypto/base/random.h"
#include "services/watchlists/sealed_epoch.h"

namespace comity::watchlists {

// What a sealed list needs so that it has exactly the entries that match.
struct SealingPlan {
  struct Block {
    std::uint32_t number = 0;
    bool again = false;                   // under a number that has a block: that one goes
    std::vector<std::string> references;  // 1..1024, in a random order
  };
  std::vector<Block> seal;              // by number
  std::vector<std::uint32_t> drop;      // blocks of which no slot takes part any more
  std::vector<std::uint32_t> withdraw;  // slots of entries that match no more
  // It would be left with too many blocks, or too much of it would be withdrawn: better a new
  // epoch.
  bool outgrown = false;

  bool empty() const { return seal.empty() && drop.empty() && withdraw.empty() && !outgrown; }
};

// Blocks a list of so many entries may have before it is sealed anew: each costs a search a product
// in the ring and 3 KB at the partner, however few entries it has.
std::size_t MostBlocks(std::size_t entries);

// In:  current  as it stands
//      wanted   the entries that match
//      stale    blocks that are sealed again, whatever is in them
// The last block's number is never given twice: it is not dropped.
SealingPlan PlanChange(const SealedEpoch& current, const std::set<std::string>& wanted,
                       const std::set<std::uint32_t>& stale, RandomSource& random);
// The same for stale blocks alone, as they stand: what need not wait for a look at the whole list.
SealingPlan PlanStale(const SealedEpoch& current, const std::set<std::uint32_t>& stale,
                      RandomSource& random);
// The blocks of a first epoch or a new one: all entries in one random order over the list.
SealingPlan PlanEpoch(const std::set<std::string>& wanted, RandomSource& random);

}  // namespace comity::watchlists
