// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <span>
#include <vector>

#include "crypto/base/bytes.h"
#include "crypto/base/result.h"
#include "crypto/merkle/prove.h"
#include "crypto/merkle/tree_position.h"
#include "crypto/tlog/tile.h"

namespace comity::tlog {

// Gives the content of a hash tile: `width` hashes of 32 octets.
using TileReader = std::function<Result<Bytes>(const TilePath&)>;

struct TileFile {
  TilePath path;
  Bytes content;
};

// The hash tiles that appear when `new_leaf_hashes` are appended to a log of `old_size` entries:
// full tiles completed and, per level, the last partial one. Writing them makes the tiles of the
// new size complete; partial tiles of the old size may then be deleted.
//
// In:     read  tiles of the old tree; asked for its partial tiles only
// Errors: kCorrupt  a tile read has another length than its width says; else those of `read`
Result<std::vector<TileFile>> AppendTiles(merkle::TreeSize old_size,
                                          std::span<const Digest> new_leaf_hashes,
                                          const TileReader& read);

// The root of the `hashes` of a full tile (256) or of any perfect power of two of them.
Digest TileRoot(std::span<const Digest> hashes);

// Reads perfect subtrees of a log of `size` entries out of its tiles; for ProveInclusion,
// ProveConsistency, ReadRoot. Reads one tile a hash: give it a `read` that caches where that
// counts.
//
// Errors (of the reader): kInvalidArgument  the subtree is not inside the tree
//                         kCorrupt          a tile has the wrong length; else those of `read`
merkle::SubtreeReader SubtreesFromTiles(merkle::TreeSize size, TileReader read);

}  // namespace comity::tlog
