// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "crypto/base/bytes.h"
#include "crypto/base/result.h"
#include "crypto/merkle/tree_position.h"

namespace comity::merkle {

// An append-only tree of which only the right edge is kept: the roots of the perfect subtrees that
// the size's binary digits name, largest first (at most 64 hashes). Enough to append and to compute
// the root; proofs need the tiles.
//
// Threads: thread-compatible.
class CompactTree {
 public:
  CompactTree() = default;
  // Rebuilds a tree from what right_edge() returned (or ReadRightEdge of prove.h).
  //
  // Errors: kInvalidArgument  the number of hashes is not the number of one bits of `size`
  static Result<CompactTree> FromRightEdge(TreeSize size, std::vector<Digest> right_edge);

  // In: leaf_hash  LeafHash(entry), not the entry
  void Append(const Digest& leaf_hash);
  TreeSize size() const { return size_; }
  const std::vector<Digest>& right_edge() const { return right_edge_; }
  Digest Root() const;

 private:
  TreeSize size_;
  std::vector<Digest> right_edge_;
};

}  // namespace comity::merkle
