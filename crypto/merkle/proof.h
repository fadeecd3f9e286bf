// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <vector>

#include "crypto/base/bytes.h"
#include "crypto/base/result.h"
#include "crypto/merkle/tree_position.h"

namespace comity::merkle {

// Tree sizes fit in 64 bits, so no honest path is longer; checked before any hashing.
inline constexpr std::size_t kMaxSiblings = 64;

// That a leaf stands at `index` of the tree of `size` leaves. Sibling next to the leaf first.
struct InclusionProof {
  LeafIndex index;
  TreeSize size;
  std::vector<Digest> path;
};

// That the tree of `old_size` leaves is a prefix of the tree of `new_size` leaves.
struct ConsistencyProof {
  TreeSize old_size;
  TreeSize new_size;
  std::vector<Digest> path;
};

// Checks that `leaf_hash` is at `proof.index` in the tree whose root is `root`.
//
// In:      leaf_hash  LeafHash(entry)
//          proof      at most 64 siblings; untrusted, straight from the peer
//          root       root the caller trusts (from a verified checkpoint)
// Errors:  kInvalidArgument  index >= size, or the path has the wrong length
//          kCorrupt          the recomputed root differs from `root`
// Threads: pure function; safe from any thread.
// Source:  RFC 9162 section 2.1.3.2; vectors in tests/vectors/tlog
Status VerifyInclusion(const Digest& leaf_hash, const InclusionProof& proof, const Digest& root);

// Checks that the tree with `new_root` extends the tree with `old_root`.
//
// In:      proof     untrusted; old_size 0 needs an empty path and the root of the empty tree, and
//                    proves nothing (every tree extends it); equal sizes need an empty path and
//                    equal roots
//          old_root  root the caller trusts
// Errors:  kInvalidArgument  old_size > new_size, or the path has the wrong length
//          kCorrupt          a recomputed root differs
// Threads: pure function; safe from any thread.
// Source:  RFC 9162 section 2.1.4.2; vectors in tests/vectors/tlog
Status VerifyConsistency(const ConsistencyProof& proof, const Digest& old_root,
                         const Digest& new_root);

}  // namespace comity::merkle
