// SPDX-License-Identifier: Apache-2.0
#include "crypto/merkle/compact_tree.h"

#include <gtest/gtest.h>

#include "crypto/merkle/tree_hash.h"
#include "tests/support/naive_tree.h"
#include "tests/support/result_matchers.h"
#include "tests/support/vectors.h"

namespace comity::merkle {
namespace {

using testing::DigestOf;
using testing::FailsWith;
using testing::IsOk;

TEST(TreeHash, MatchesTheEightReferenceLeaves) {
  const auto vectors = testing::ReadJsonVector("tlog/tree_ct8.json");
  EXPECT_EQ(EmptyRoot(), DigestOf(vectors["empty_root"]));
  CompactTree tree;
  for (std::size_t i = 0; i < 8; ++i) {
    const Bytes leaf = *ParseHex(vectors["leaf_hex"][i].get<std::string>());
    EXPECT_EQ(LeafHash(leaf), DigestOf(vectors["trees"][i]["inclusion"][i]["leaf_hash"]));
    tree.Append(LeafHash(leaf));
    EXPECT_EQ(tree.Root(), DigestOf(vectors["trees"][i]["root"]));
  }
}

TEST(CompactTree, OfNothingHasTheEmptyRoot) {
  EXPECT_EQ(CompactTree().Root(), EmptyRoot());
  EXPECT_EQ(CompactTree().size(), TreeSize{0});
}

TEST(CompactTree, MatchesTheVectorsOfEverySize) {
  const auto vectors = testing::ReadJsonVector("tlog/tree_entries.json");
  const std::vector<Digest> leaves = testing::EntryLeaves(70'000);
  std::map<std::uint64_t, Digest> roots;
  for (const auto* group : {"small", "big"}) {
    for (const auto& tree : vectors[group]) {
      roots[tree["size"].get<std::uint64_t>()] = DigestOf(tree["root"]);
    }
  }
  CompactTree tree;
  std::size_t compared = 0;
  for (const Digest& leaf : leaves) {
    tree.Append(leaf);
    const auto expected = roots.find(tree.size().value);
    if (expected == roots.end()) continue;
    EXPECT_EQ(tree.Root(), expected->second) << tree.size().value;
    ++compared;
  }
  EXPECT_EQ(compared, 17U + 11U);
}

TEST(CompactTree, GoesOnFromItsRightEdge) {
  const std::vector<Digest> leaves = testing::EntryLeaves(200);
  for (std::size_t size = 0; size < leaves.size(); ++size) {
    CompactTree whole;
    for (std::size_t i = 0; i < size; ++i) whole.Append(leaves[i]);
    auto rebuilt = CompactTree::FromRightEdge(whole.size(), whole.right_edge());
    ASSERT_THAT(rebuilt, IsOk());
    rebuilt->Append(leaves[size]);
    EXPECT_EQ(rebuilt->Root(), testing::NaiveRoot(testing::Leaves(leaves).first(size + 1)));
  }
}

TEST(CompactTree, RefusesARightEdgeOfAnotherSize) {
  EXPECT_THAT(CompactTree::FromRightEdge({3}, std::vector<Digest>(1)),
              FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_THAT(CompactTree::FromRightEdge({0}, std::vector<Digest>(1)),
              FailsWith(ErrorCode::kInvalidArgument));
}

}  // namespace
}  // namespace comity::merkle
