// SPDX-License-Identifier: Apache-2.0
#include "crypto/ot/puncturable_tree.h"

#include <array>
#include <span>
#include <utility>

#include "crypto/base/check.h"
#include "crypto/base/little_endian.h"
#include "crypto/base/secret.h"
#include "crypto/hash/blake2b.h"

namespace comity::ot {
namespace {

constexpr std::size_t kMaskedSumsSize = kBaseOtCount * 2 * Block::kSize;
constexpr std::size_t kLeafProofSize = Digest::kSize;  // one t_x
constexpr std::size_t kLeafCheckSize = 2 * Digest::kSize;

struct TreePlace {
  const Digest& sid;
  std::size_t tree;
};

// The two children of one node.
void Expand(const TreePlace& place, std::size_t level, std::size_t index, const Block& node,
            std::span<Block, 2> children) {
  hash::Blake2b(2 * Block::kSize, AsOctets({&node, 1}))
      .Update(AsBytes("comity/sealed-v1/ot-tree"))
      .Update(place.sid.view())
      .Update(LittleEndian<4>(place.tree))
      .Update(LittleEndian<4>(level))
      .Update(LittleEndian<4>(index))
      .Finish(AsWritableOctets(children));
}

// The nodes of level `level` + 1 from those of `level`.
SecretBlocks ExpandLevel(const TreePlace& place, std::size_t level, const SecretBlocks& nodes) {
  SecretBlocks children(2 * nodes.size());
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    Expand(place, level, i, nodes.Expose()[i],
           std::span<Block, 2>(children.ExposeMutable().subspan(2 * i, 2)));
  }
  return children;
}

// t_x into `proof`, and the leaf key.
Block OpenLeaf(const TreePlace& place, std::size_t leaf, const Block& node,
               std::span<std::uint8_t> proof) {
  SecretBytes wide(64);
  hash::Blake2b(wide.size(), AsOctets({&node, 1}))
      .Update(AsBytes("comity/sealed-v1/ot-leaf"))
      .Update(place.sid.view())
      .Update(LittleEndian<4>(place.tree))
      .Update(LittleEndian<4>(leaf))
      .Finish(wide.ExposeMutable());
  const ByteView octets = wide.Expose();
  std::copy_n(octets.begin(), kLeafProofSize, proof.begin());
  return LoadBlock(octets.subspan(kLeafProofSize));
}

void XorInto(ByteView from, std::span<std::uint8_t> to) {
  for (std::size_t i = 0; i < to.size(); ++i) to[i] ^= from[i];
}

// The t of the check.
SecretBytes SumOfProofs(const SecretBytes& proofs) {
  SecretBytes sum(kLeafProofSize);
  for (std::size_t x = 0; x < kLeafCount; ++x) {
    XorInto(proofs.Expose().subspan(x * kLeafProofSize, kLeafProofSize), sum.ExposeMutable());
  }
  return sum;
}

Digest HashOfProofs(const TreePlace& place, const SecretBytes& proofs) {
  return hash::Blake2b256({AsBytes("comity/sealed-v1/ot-leaf-check"), place.sid.view(),
                           LittleEndian<4>(place.tree), proofs.Expose()});
}

// The nodes of a side (0 left, 1 right), added up.
Block SumOfSide(std::span<const Block> nodes, std::size_t side) {
  Block sum;
  for (std::size_t i = side; i < nodes.size(); i += 2) sum ^= nodes[i];
  return sum;
}

// One tree of the holder; its parts of the message into `sums` and `check`.
void MakeTree(const TreePlace& place, ByteView base_keys, RandomSource& random,
              std::span<std::uint8_t> sums, std::span<std::uint8_t> check,
              std::span<Block> leaf_keys) {
  SecretBlocks nodes(1);
  random.Fill(AsWritableOctets(nodes.ExposeMutable()));
  for (std::size_t level = 0; level < kTreeDepth; ++level) {
    nodes = ExpandLevel(place, level, nodes);
    for (std::size_t side = 0; side < 2; ++side) {
      const std::size_t at = 2 * level + side;
      const Block masked = SumOfSide(nodes.Expose(), side) ^
                           LoadBlock(base_keys.subspan(at * kBaseOtKeySize, kBaseOtKeySize));
      XorInto(Octets(masked), sums.subspan(at * Block::kSize, Block::kSize));
    }
  }
  SecretBytes proofs(kLeafCount * kLeafProofSize);
  for (std::size_t x = 0; x < kLeafCount; ++x) {
    leaf_keys[x] = OpenLeaf(place, x, nodes.Expose()[x],
                            proofs.ExposeMutable().subspan(x * kLeafProofSize, kLeafProofSize));
  }
  XorInto(SumOfProofs(proofs).Expose(), check.first(kLeafProofSize));
  XorInto(HashOfProofs(place, proofs).view(), check.subspan(kLeafProofSize));
}

// What the requester knows of one tree: all nodes but that of the missing path, which is zero.
struct Path {
  std::uint64_t missing = 0;  // its index within the level
  SecretBlocks nodes;
};

// One level down. In: choice  that of the level's base OT;  sum  K^choice of the level
void Descend(const TreePlace& place, std::size_t level, std::uint64_t choice, const Block& sum,
             Path& path) {
  SecretBlocks children = ExpandLevel(place, level, path.nodes);
  const std::span<Block> nodes = children.ExposeMutable();
  // The children of the missing node come from zeros: both are taken out.
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    nodes[i] = nodes[i] & ~BlockMaskOf(EqualBit(i / 2, path.missing));
  }
  Block sibling = sum;
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    sibling ^= nodes[i] & BlockMaskOf(EqualBit(i % 2, choice));
  }
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    nodes[i] ^= sibling & BlockMaskOf(EqualBit(i, 2 * path.missing + choice));
  }
  path.missing = 2 * path.missing + (1 - choice);
  path.nodes = std::move(children);
  Wipe(AsWritableOctets({&sibling, 1}));
}

// The requester's nodes of level 4 of one tree.
Path WalkTree(const TreePlace& place, const BaseOtReceiverKeys& base, ByteView sums) {
  Path path{.missing = 0, .nodes = SecretBlocks(1)};
  for (std::size_t level = 0; level < kTreeDepth; ++level) {
    const std::size_t instance = kTreeDepth * place.tree + level;
    const std::uint64_t choice = base.choices.Expose()[instance];
    const Block left = LoadBlock(sums.subspan(2 * level * Block::kSize, Block::kSize));
    const Block right = LoadBlock(sums.subspan((2 * level + 1) * Block::kSize, Block::kSize));
    const Block masked = left ^ ((left ^ right) & BlockMaskOf(choice));
    const Block key =
        LoadBlock(base.keys.Expose().subspan(instance * kBaseOtKeySize, kBaseOtKeySize));
    Descend(place, level, choice, masked ^ key, path);
  }
  return path;
}

// The leaf keys of one tree by distance; false if the leaf check fails.
bool OpenTree(const TreePlace& place, const Path& path, ByteView check,
              std::span<Block> leaf_keys) {
  SecretBytes proofs(kLeafCount * kLeafProofSize);
  SecretBlocks keys(kLeafCount);
  for (std::size_t x = 0; x < kLeafCount; ++x) {
    const auto proof = proofs.ExposeMutable().subspan(x * kLeafProofSize, kLeafProofSize);
    const auto known = static_cast<std::uint8_t>(EqualBit(x, path.missing) - 1);
    keys.ExposeMutable()[x] = OpenLeaf(place, x, path.nodes.Expose()[x], proof);
    for (std::uint8_t& octet : proof) octet &= known;
  }
  SecretBytes missing_proof = SumOfProofs(proofs);
  XorInto(check.first(kLeafProofSize), missing_proof.ExposeMutable());
  for (std::size_t x = 0; x < kLeafCount; ++x) {
    const auto mask = static_cast<std::uint8_t>(MaskOf(EqualBit(x, path.missing)));
    for (std::size_t i = 0; i < kLeafProofSize; ++i) {
      proofs.ExposeMutable()[x * kLeafProofSize + i] |=
          static_cast<std::uint8_t>(missing_proof.Expose()[i] & mask);
    }
  }
  for (std::size_t distance = 1; distance < kLeafCount; ++distance) {
    Block key;
    for (std::size_t x = 0; x < kLeafCount; ++x) {
      key ^= keys.Expose()[x] & BlockMaskOf(EqualBit(x ^ distance, path.missing));
    }
    leaf_keys[distance] = key;
  }
  return ConstantTimeEqual(HashOfProofs(place, proofs).view(), check.subspan(kLeafProofSize));
}

}  // namespace

FullTrees MakeTrees(const Digest& sid, const BaseOtSenderKeys& base, RandomSource& random) {
  COMITY_CHECK(base.keys.size() == kBaseOtCount * 2 * kBaseOtKeySize);
  FullTrees trees{SecretBlocks(kTreeCount * kLeafCount), Bytes(kTreeMessageSize)};
  const std::span<std::uint8_t> message = trees.message;
  constexpr std::size_t kSumsATree = kTreeDepth * 2 * Block::kSize;
  constexpr std::size_t kKeysATree = kTreeDepth * 2 * kBaseOtKeySize;
  for (std::size_t r = 0; r < kTreeCount; ++r) {
    MakeTree({sid, r}, base.keys.Expose().subspan(r * kKeysATree, kKeysATree), random,
             message.subspan(r * kSumsATree, kSumsATree),
             message.subspan(kMaskedSumsSize + r * kLeafCheckSize, kLeafCheckSize),
             trees.leaf_keys.ExposeMutable().subspan(r * kLeafCount, kLeafCount));
  }
  return trees;
}

Result<PuncturedTrees> OpenTrees(const Digest& sid, const BaseOtReceiverKeys& base,
                                 ByteView message) {
  COMITY_CHECK(base.choices.size() == kBaseOtCount);
  COMITY_CHECK(base.keys.size() == kBaseOtCount * kBaseOtKeySize);
  if (message.size() != kTreeMessageSize) {
    return Fail(ErrorCode::kInvalidArgument, "OT trees: the message has the wrong length");
  }
  PuncturedTrees trees{SecretBlocks(kTreeCount * kLeafCount), SecretBlocks(1)};
  Block& delta = trees.delta.ExposeMutable()[0];
  constexpr std::size_t kSumsATree = kTreeDepth * 2 * Block::kSize;
  bool all_hold = true;
  for (std::size_t r = 0; r < kTreeCount; ++r) {
    const Path path = WalkTree({sid, r}, base, message.subspan(r * kSumsATree, kSumsATree));
    (r < kTreeCount / 2 ? delta.low : delta.high) |= path.missing << (kTreeDepth * (r % 16));
    const bool holds = OpenTree(
        {sid, r}, path, message.subspan(kMaskedSumsSize + r * kLeafCheckSize, kLeafCheckSize),
        trees.leaf_keys.ExposeMutable().subspan(r * kLeafCount, kLeafCount));
    all_hold = all_hold & holds;
  }
  // The session ends if not, and the holder sees that.
  if (Declassify(!all_hold)) return Fail(ErrorCode::kCorrupt, "OT trees: the leaf check failed");
  return trees;
}

}  // namespace comity::ot
