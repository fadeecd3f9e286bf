// SPDX-License-Identifier: Apache-2.0
#include "crypto/merkle/proof.h"

#include <bit>
#include <span>

#include "crypto/merkle/tree_hash.h"

namespace comity::merkle {
namespace {

tl::unexpected<Error> WrongLength() {
  return Fail(ErrorCode::kInvalidArgument, "the proof's path has the wrong length for its tree");
}

bool IsOdd(std::uint64_t value) {
  return (value & 1U) != 0;
}

// The walk from a node of the lowest level up to the root that both proofs share: fn and sn of the
// RFC, the node's position and the last position of the current level.
struct Climb {
  std::uint64_t node;
  std::uint64_t last;

  bool AtRoot() const { return last == 0; }
  // True if the next sibling stands on the left.
  bool SiblingIsLeft() const { return IsOdd(node) || node == last; }
  // To the parent. A node without a right sibling rises through levels on which nothing joins it.
  void Rise() {
    if (node == last) {
      while (!IsOdd(node) && node != 0) Shift();
    }
    Shift();
  }
  void Shift() {
    node >>= 1U;
    last >>= 1U;
  }
};

}  // namespace

Status VerifyInclusion(const Digest& leaf_hash, const InclusionProof& proof, const Digest& root) {
  if (proof.index.value >= proof.size.value) {
    return Fail(ErrorCode::kInvalidArgument, "leaf " + std::to_string(proof.index.value) +
                                                 " is not in a tree of " +
                                                 std::to_string(proof.size.value) + " leaves");
  }
  if (proof.path.size() > kMaxSiblings) return WrongLength();
  Climb climb{proof.index.value, proof.size.value - 1};
  Digest hash = leaf_hash;
  for (const Digest& sibling : proof.path) {
    if (climb.AtRoot()) return WrongLength();
    hash = climb.SiblingIsLeft() ? NodeHash(sibling, hash) : NodeHash(hash, sibling);
    climb.Rise();
  }
  if (!climb.AtRoot()) return WrongLength();
  if (hash != root) return Fail(ErrorCode::kCorrupt, "the inclusion proof leads to another root");
  return {};
}

namespace {

// 0 < old_size < new_size. `path` begins with the hash of the old tree's last perfect subtree.
Status VerifyExtension(const ConsistencyProof& proof, std::span<const Digest> path,
                       const Digest& old_root, const Digest& new_root) {
  Climb climb{proof.old_size.value - 1, proof.new_size.value - 1};
  while (IsOdd(climb.node)) climb.Shift();
  Digest old_hash = path.front();
  Digest new_hash = path.front();
  for (const Digest& sibling : path.subspan(1)) {
    if (climb.AtRoot()) return WrongLength();
    if (climb.SiblingIsLeft()) {
      old_hash = NodeHash(sibling, old_hash);
      new_hash = NodeHash(sibling, new_hash);
    } else {
      new_hash = NodeHash(new_hash, sibling);
    }
    climb.Rise();
  }
  if (!climb.AtRoot()) return WrongLength();
  if (old_hash != old_root || new_hash != new_root) {
    return Fail(ErrorCode::kCorrupt, "the consistency proof leads to another root");
  }
  return {};
}

}  // namespace

Status VerifyConsistency(const ConsistencyProof& proof, const Digest& old_root,
                         const Digest& new_root) {
  const std::uint64_t old_size = proof.old_size.value;
  if (old_size > proof.new_size.value) {
    return Fail(ErrorCode::kInvalidArgument, "the old tree is larger than the new one");
  }
  if (proof.path.size() > kMaxSiblings) return WrongLength();
  if (old_size == 0 || old_size == proof.new_size.value) {
    if (!proof.path.empty()) return WrongLength();
    const bool same = old_size == 0 ? old_root == EmptyRoot() : old_root == new_root;
    if (!same) return Fail(ErrorCode::kCorrupt, "two roots for one tree size");
    return {};
  }
  if (proof.path.empty()) return WrongLength();
  if (!std::has_single_bit(old_size)) {
    return VerifyExtension(proof, proof.path, old_root, new_root);
  }
  // The old tree is itself a perfect subtree; the path leaves out what the verifier knows.
  std::vector<Digest> path = {old_root};
  path.insert(path.end(), proof.path.begin(), proof.path.end());
  return VerifyExtension(proof, path, old_root, new_root);
}

}  // namespace comity::merkle
