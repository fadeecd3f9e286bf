// SPDX-License-Identifier: Apache-2.0
#include "crypto/merkle/compact_tree.h"

#include <bit>
#include <utility>

#include "crypto/base/check.h"
#include "crypto/merkle/tree_hash.h"

namespace comity::merkle {

Result<CompactTree> CompactTree::FromRightEdge(TreeSize size, std::vector<Digest> right_edge) {
  if (right_edge.size() != static_cast<std::size_t>(std::popcount(size.value))) {
    return Fail(ErrorCode::kInvalidArgument,
                "a tree of " + std::to_string(size.value) + " leaves has a right edge of " +
                    std::to_string(std::popcount(size.value)) + " hashes");
  }
  CompactTree tree;
  tree.size_ = size;
  tree.right_edge_ = std::move(right_edge);
  return tree;
}

void CompactTree::Append(const Digest& leaf_hash) {
  Digest hash = leaf_hash;
  // Each trailing one bit of the size is a perfect subtree as large as what is being added.
  for (std::uint64_t bits = size_.value; (bits & 1U) != 0; bits >>= 1U) {
    hash = NodeHash(right_edge_.back(), hash);
    right_edge_.pop_back();
  }
  right_edge_.push_back(hash);
  ++size_.value;
  COMITY_CHECK(size_.value != 0);
}

Digest CompactTree::Root() const {
  if (right_edge_.empty()) return EmptyRoot();
  Digest root = right_edge_.back();
  for (auto left = right_edge_.rbegin() + 1; left != right_edge_.rend(); ++left) {
    root = NodeHash(*left, root);
  }
  return root;
}

}  // namespace comity::merkle
