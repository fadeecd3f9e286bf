// SPDX-License-Identifier: Apache-2.0
#include "crypto/merkle/prove.h"

#include <bit>

#include "crypto/merkle/tree_hash.h"

namespace comity::merkle {
namespace {

// The leaves [begin, end) of a tree; `begin` is a multiple of the largest power of two that fits.
struct Span {
  std::uint64_t begin;
  std::uint64_t end;
  std::uint64_t width() const { return end - begin; }
};

// Largest power of two below `width` (RFC 9162's k); width >= 2.
std::uint64_t SplitPoint(std::uint64_t width) {
  return std::bit_floor(width - 1);
}

// Perfect subtrees of the span, largest first.
Result<std::vector<Digest>> ReadEdge(Span span, const SubtreeReader& read) {
  std::vector<Digest> edge;
  while (span.begin != span.end) {
    const std::uint64_t width = std::bit_floor(span.width());
    const auto level = static_cast<unsigned>(std::countr_zero(width));
    COMITY_ASSIGN_OR_RETURN(const Digest hash, read({level, span.begin >> level}));
    edge.push_back(hash);
    span.begin += width;
  }
  return edge;
}

Result<Digest> ReadSpan(Span span, const SubtreeReader& read) {
  COMITY_ASSIGN_OR_RETURN(const std::vector<Digest> edge, ReadEdge(span, read));
  if (edge.empty()) return EmptyRoot();
  Digest hash = edge.back();
  for (auto left = edge.rbegin() + 1; left != edge.rend(); ++left) hash = NodeHash(*left, hash);
  return hash;
}

// Spans are found from the root downwards; a path lists them from the leaf upwards.
Result<std::vector<Digest>> ReadPath(const std::vector<Span>& downwards,
                                     const SubtreeReader& read) {
  std::vector<Digest> path;
  for (auto span = downwards.rbegin(); span != downwards.rend(); ++span) {
    COMITY_ASSIGN_OR_RETURN(const Digest hash, ReadSpan(*span, read));
    path.push_back(hash);
  }
  return path;
}

}  // namespace

Result<InclusionProof> ProveInclusion(LeafIndex index, TreeSize size, const SubtreeReader& read) {
  if (index.value >= size.value) {
    return Fail(ErrorCode::kInvalidArgument, "leaf " + std::to_string(index.value) +
                                                 " is not in a tree of " +
                                                 std::to_string(size.value) + " leaves");
  }
  std::vector<Span> siblings;
  for (Span span{0, size.value}; span.width() > 1;) {
    const std::uint64_t middle = span.begin + SplitPoint(span.width());
    const bool goes_left = index.value < middle;
    siblings.push_back(goes_left ? Span{middle, span.end} : Span{span.begin, middle});
    span = goes_left ? Span{span.begin, middle} : Span{middle, span.end};
  }
  COMITY_ASSIGN_OR_RETURN(std::vector<Digest> path, ReadPath(siblings, read));
  return InclusionProof{index, size, std::move(path)};
}

Result<ConsistencyProof> ProveConsistency(TreeSize old_size, TreeSize new_size,
                                          const SubtreeReader& read) {
  if (old_size > new_size) {
    return Fail(ErrorCode::kInvalidArgument, "the old tree is larger than the new one");
  }
  ConsistencyProof proof{old_size, new_size, {}};
  if (old_size.value == 0 || old_size == new_size) return proof;
  std::vector<Span> downwards;
  Span span{0, new_size.value};
  // Down to the subtree in which the old tree ends exactly.
  while (span.end != old_size.value) {
    const std::uint64_t middle = span.begin + SplitPoint(span.width());
    const bool goes_left = old_size.value <= middle;
    downwards.push_back(goes_left ? Span{middle, span.end} : Span{span.begin, middle});
    span = goes_left ? Span{span.begin, middle} : Span{middle, span.end};
  }
  // It is the old tree itself if that is perfect; the verifier has its root.
  if (span.begin != 0) downwards.push_back(span);
  COMITY_ASSIGN_OR_RETURN(proof.path, ReadPath(downwards, read));
  return proof;
}

Result<Digest> ReadRoot(TreeSize size, const SubtreeReader& read) {
  return ReadSpan({0, size.value}, read);
}

Result<std::vector<Digest>> ReadRightEdge(TreeSize size, const SubtreeReader& read) {
  return ReadEdge({0, size.value}, read);
}

}  // namespace comity::merkle
