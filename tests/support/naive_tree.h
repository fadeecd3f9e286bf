// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>
#include <vector>

#include "crypto/base/bytes.h"
#include "crypto/hash/sha256.h"
#include "crypto/merkle/prove.h"

namespace comity::testing {

// The definitions of RFC 9162 section 2.1 word by word: recursive, slow, and sharing nothing with
// the code under test but SHA-256.
using Leaves = std::span<const Digest>;

inline Digest NaiveNode(const Digest& left, const Digest& right) {
  Bytes text = {1};
  text.insert(text.end(), left.bytes.begin(), left.bytes.end());
  text.insert(text.end(), right.bytes.begin(), right.bytes.end());
  return hash::Sha256(text);
}

inline std::size_t NaiveSplit(std::size_t size) {
  std::size_t k = 1;
  while (2 * k < size) k *= 2;
  return k;
}

inline Digest NaiveRoot(Leaves leaves) {
  if (leaves.empty()) return hash::Sha256(ByteView());
  if (leaves.size() == 1) return leaves[0];
  const std::size_t k = NaiveSplit(leaves.size());
  return NaiveNode(NaiveRoot(leaves.first(k)), NaiveRoot(leaves.subspan(k)));
}

inline std::vector<Digest> NaivePath(std::size_t index, Leaves leaves) {
  if (leaves.size() == 1) return {};
  const std::size_t k = NaiveSplit(leaves.size());
  std::vector<Digest> path =
      index < k ? NaivePath(index, leaves.first(k)) : NaivePath(index - k, leaves.subspan(k));
  path.push_back(NaiveRoot(index < k ? leaves.subspan(k) : leaves.first(k)));
  return path;
}

inline std::vector<Digest> NaiveSubProof(std::size_t old_size, Leaves leaves, bool whole) {
  if (old_size == leaves.size()) {
    return whole ? std::vector<Digest>() : std::vector<Digest>{NaiveRoot(leaves)};
  }
  const std::size_t k = NaiveSplit(leaves.size());
  const bool left = old_size <= k;
  std::vector<Digest> path = left ? NaiveSubProof(old_size, leaves.first(k), whole)
                                  : NaiveSubProof(old_size - k, leaves.subspan(k), false);
  path.push_back(NaiveRoot(left ? leaves.subspan(k) : leaves.first(k)));
  return path;
}

// Leaf hashes of the entries `entry-0`, `entry-1`, ... of tests/vectors/tlog/tree_entries.json.
inline std::vector<Digest> EntryLeaves(std::size_t count) {
  std::vector<Digest> leaves;
  for (std::size_t i = 0; i < count; ++i) {
    Bytes text = {0};
    const Bytes entry = ToBytes("entry-" + std::to_string(i));
    text.insert(text.end(), entry.begin(), entry.end());
    leaves.push_back(hash::Sha256(text));
  }
  return leaves;
}

// Reads subtrees of the leaves given, which must outlive it.
inline merkle::SubtreeReader NaiveReader(Leaves leaves) {
  return [leaves](const merkle::Subtree& subtree) -> Result<Digest> {
    const std::size_t width = std::size_t{1} << subtree.level;
    if ((subtree.index + 1) * width > leaves.size()) {
      return Fail(ErrorCode::kInternal, "a subtree outside the tree was asked for");
    }
    return NaiveRoot(leaves.subspan(subtree.index * width, width));
  };
}

}  // namespace comity::testing
