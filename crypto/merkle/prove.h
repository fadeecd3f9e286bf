// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <vector>

#include "crypto/base/bytes.h"
#include "crypto/base/result.h"
#include "crypto/merkle/proof.h"
#include "crypto/merkle/tree_position.h"

namespace comity::merkle {

// Gives the root of a perfect subtree that lies wholly inside the tree: from tiles
// (crypto/tlog/tile_hash.h), from memory, from a store. Asked for at most 2 * 64 hashes a proof.
using SubtreeReader = std::function<Result<Digest>(const Subtree&)>;

// Errors of all four: those of `read`, passed on.

// Errors: kInvalidArgument  index >= size
// Source: RFC 9162 section 2.1.3.1
Result<InclusionProof> ProveInclusion(LeafIndex index, TreeSize size, const SubtreeReader& read);

// The path is empty for old_size 0 and for equal sizes.
// Errors: kInvalidArgument  old_size > new_size
// Source: RFC 9162 section 2.1.4.1
Result<ConsistencyProof> ProveConsistency(TreeSize old_size, TreeSize new_size,
                                          const SubtreeReader& read);

// The root of the first `size` leaves.
Result<Digest> ReadRoot(TreeSize size, const SubtreeReader& read);
// The hashes CompactTree::FromRightEdge needs.
Result<std::vector<Digest>> ReadRightEdge(TreeSize size, const SubtreeReader& read);

}  // namespace comity::merkle
