// SPDX-License-Identifier: Apache-2.0
// Proofs that an auditor is handed: the verifiers give the verdict of the definitions of RFC 9162
// section 2.1 read word by word, for any sizes and any path; and what a small tree proves has one
// spelling.
#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "crypto/base/bytes.h"
#include "crypto/base/check.h"
#include "crypto/base/little_endian.h"
#include "crypto/merkle/proof.h"
#include "tests/fuzz/altered_message.h"
#include "tests/support/naive_tree.h"

namespace comity::merkle {
namespace {

using comity::testing::AlteredMessage;
using comity::testing::EntryLeaves;
using comity::testing::NaiveNode;
using comity::testing::NaivePath;
using comity::testing::NaiveRoot;
using comity::testing::NaiveSubProof;

using Path = std::span<const Digest>;

// The largest power of two below `size`, which is at least 2.
std::uint64_t Split(std::uint64_t size) {
  return std::bit_floor(size - 1);
}

std::optional<Digest> RootOf(const Digest& leaf, std::uint64_t index, std::uint64_t size,
                             Path path) {
  if (index >= size) return std::nullopt;
  if (size == 1) return path.empty() ? std::optional(leaf) : std::nullopt;
  if (path.empty()) return std::nullopt;
  const std::uint64_t left = Split(size);
  const Path below = path.first(path.size() - 1);
  const bool is_left = index < left;
  const auto inner =
      is_left ? RootOf(leaf, index, left, below) : RootOf(leaf, index - left, size - left, below);
  if (!inner) return std::nullopt;
  return is_left ? NaiveNode(*inner, path.back()) : NaiveNode(path.back(), *inner);
}

using Roots = std::optional<std::pair<Digest, Digest>>;

// The roots of both trees by SUBPROOF; `whole` is given the old root, as its definition says.
Roots RootsOf(std::uint64_t old_size, std::uint64_t size, const Digest& old_root, bool whole,
              Path path) {
  if (old_size == size) {
    if (path.size() != (whole ? 0U : 1U)) return std::nullopt;
    const Digest& root = whole ? old_root : path[0];
    return std::pair(root, root);
  }
  if (path.empty()) return std::nullopt;
  const std::uint64_t left = Split(size);
  const Path below = path.first(path.size() - 1);
  if (old_size <= left) {
    const Roots inner = RootsOf(old_size, left, old_root, whole, below);
    if (!inner) return std::nullopt;
    return std::pair(inner->first, NaiveNode(inner->second, path.back()));
  }
  const Roots inner = RootsOf(old_size - left, size - left, old_root, false, below);
  if (!inner) return std::nullopt;
  return std::pair(NaiveNode(path.back(), inner->first), NaiveNode(path.back(), inner->second));
}

bool NaivelyExtends(const ConsistencyProof& proof, const Digest& old_root, const Digest& new_root) {
  const std::uint64_t old_size = proof.old_size.value;
  const std::uint64_t new_size = proof.new_size.value;
  if (old_size > new_size || proof.path.size() > kMaxSiblings) return false;
  if (old_size == 0) return proof.path.empty() && old_root == NaiveRoot({});
  const Roots roots = RootsOf(old_size, new_size, old_root, true, proof.path);
  return roots && roots->first == old_root && roots->second == new_root;
}

Bytes Joined(std::vector<Digest> digests, const Digest& first, const Digest& second) {
  digests.push_back(first);
  digests.push_back(second);
  Bytes octets;
  for (const Digest& digest : digests) {
    octets.insert(octets.end(), digest.bytes.begin(), digest.bytes.end());
  }
  return octets;
}

std::vector<Digest> Cut(ByteView octets) {
  std::vector<Digest> digests(octets.size() / Digest::kSize);
  for (Digest& digest : digests) {
    std::copy_n(octets.begin(), Digest::kSize, digest.bytes.begin());
    octets = octets.subspan(Digest::kSize);
  }
  return digests;
}

// The last two of `digests` are leaf and root, or the two roots; those before are the path.
void TryInclusion(std::uint64_t index, std::uint64_t size, std::vector<Digest> digests,
                  const Bytes* honest) {
  const Digest root = digests.back();
  digests.pop_back();
  const Digest leaf = digests.back();
  digests.pop_back();
  const InclusionProof proof{{index}, {size}, digests};
  const bool accepted = VerifyInclusion(leaf, proof, root).has_value();
  COMITY_CHECK(accepted == (RootOf(leaf, index, size, proof.path) == root));
  if (honest != nullptr && accepted) COMITY_CHECK(Joined(digests, leaf, root) == *honest);
}

void TryConsistency(std::uint64_t old_size, std::uint64_t size, std::vector<Digest> digests) {
  const Digest new_root = digests.back();
  digests.pop_back();
  const Digest old_root = digests.back();
  digests.pop_back();
  const ConsistencyProof proof{{old_size}, {size}, std::move(digests)};
  COMITY_CHECK(VerifyConsistency(proof, old_root, new_root).has_value() ==
               NaivelyExtends(proof, old_root, new_root));
}

constexpr std::size_t kMostLeaves = 40;

// The honest proof of a small tree, altered as the rest of the input says.
void TryAltered(bool inclusion, ByteView input) {
  static const std::vector<Digest> all = EntryLeaves(kMostLeaves);
  const std::size_t size = 1 + input[0] % kMostLeaves;
  const std::size_t place = input[1] % size;
  const std::span leaves = std::span(all).first(size);
  const Digest root = NaiveRoot(leaves);
  const Bytes honest = inclusion ? Joined(NaivePath(place, leaves), leaves[place], root)
                                 : Joined(NaiveSubProof(place + 1, leaves, true),
                                          NaiveRoot(leaves.first(place + 1)), root);
  const std::vector<Digest> digests = Cut(AlteredMessage(honest, input.subspan(2)));
  if (digests.size() < 2) return;
  // Another path to the same root would be a collision of the hash.
  const bool of_this_tree = digests.back() == root;
  if (inclusion) return TryInclusion(place, size, digests, of_this_tree ? &honest : nullptr);
  TryConsistency(place + 1, size, digests);
}

}  // namespace
}  // namespace comity::merkle

// The first octet says what it is: inclusion or consistency; of a small tree (size, place, how it
// is altered) or anything at all (two sizes of 64 bits, then digests).
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace comity;
  const ByteView input(data, size);
  if (size < 3) return 0;
  const bool inclusion = data[0] % 2 == 0;
  if (data[0] % 4 < 2) {
    merkle::TryAltered(inclusion, input.subspan(1));
    return 0;
  }
  if (size < 17) return 0;
  const std::uint64_t first = ReadLittleEndian<8>(input.subspan(1));
  const std::uint64_t second = ReadLittleEndian<8>(input.subspan(9));
  const auto digests = merkle::Cut(input.subspan(17));
  if (digests.size() < 2) return 0;
  if (inclusion) {
    merkle::TryInclusion(first, second, digests, nullptr);
  } else {
    merkle::TryConsistency(first, second, digests);
  }
  return 0;
}
