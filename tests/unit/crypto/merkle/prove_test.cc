// SPDX-License-Identifier: Apache-2.0
#include "crypto/merkle/prove.h"

#include <gtest/gtest.h>

#include "crypto/merkle/compact_tree.h"
#include "tests/support/naive_tree.h"
#include "tests/support/result_matchers.h"

namespace comity::merkle {
namespace {

using testing::EntryLeaves;
using testing::FailsWith;
using testing::IsOk;
using testing::Leaves;
using testing::NaiveReader;
using testing::NaiveRoot;

TEST(ProveInclusion, EqualsTheDefinitionForEveryLeafOfEverySizeUpTo64) {
  const std::vector<Digest> all = EntryLeaves(64);
  for (std::size_t size = 1; size <= all.size(); ++size) {
    const Leaves leaves = Leaves(all).first(size);
    for (std::size_t index = 0; index < size; ++index) {
      const auto proof = ProveInclusion({index}, {size}, NaiveReader(leaves));
      ASSERT_THAT(proof, IsOk());
      ASSERT_EQ(proof->path, testing::NaivePath(index, leaves)) << index << " of " << size;
      ASSERT_THAT(VerifyInclusion(leaves[index], *proof, NaiveRoot(leaves)), IsOk());
    }
  }
}

TEST(ProveConsistency, EqualsTheDefinitionForEveryPairUpTo64) {
  const std::vector<Digest> all = EntryLeaves(64);
  for (std::size_t size = 1; size <= all.size(); ++size) {
    const Leaves leaves = Leaves(all).first(size);
    for (std::size_t old_size = 1; old_size <= size; ++old_size) {
      const auto proof = ProveConsistency({old_size}, {size}, NaiveReader(leaves));
      ASSERT_THAT(proof, IsOk());
      ASSERT_EQ(proof->path, testing::NaiveSubProof(old_size, leaves, true))
          << old_size << " of " << size;
      ASSERT_THAT(VerifyConsistency(*proof, NaiveRoot(leaves.first(old_size)), NaiveRoot(leaves)),
                  IsOk());
    }
  }
}

TEST(ProveConsistency, DoesNotVerifyForAnyOtherPair) {
  const std::vector<Digest> all = EntryLeaves(20);
  std::vector<Digest> roots;
  for (std::size_t size = 0; size <= all.size(); ++size) {
    roots.push_back(NaiveRoot(Leaves(all).first(size)));
  }
  const auto proof = ProveConsistency({7}, {13}, NaiveReader(Leaves(all)));
  ASSERT_THAT(proof, IsOk());
  for (std::size_t old_size = 1; old_size <= all.size(); ++old_size) {
    for (std::size_t size = old_size; size <= all.size(); ++size) {
      const ConsistencyProof moved{{old_size}, {size}, proof->path};
      const bool same = old_size == 7 && size == 13;
      EXPECT_EQ(VerifyConsistency(moved, roots[old_size], roots[size]).has_value(), same);
    }
  }
}

TEST(ProveConsistency, IsEmptyForTheEmptyTree) {
  const auto proof = ProveConsistency({0}, {5}, NaiveReader({}));
  ASSERT_THAT(proof, IsOk());
  EXPECT_TRUE(proof->path.empty());
}

TEST(Prove, RefusesWhatIsNotInTheTree) {
  EXPECT_THAT(ProveInclusion({5}, {5}, NaiveReader({})), FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_THAT(ProveConsistency({6}, {5}, NaiveReader({})), FailsWith(ErrorCode::kInvalidArgument));
}

TEST(Prove, PassesOnTheErrorOfItsReader) {
  const SubtreeReader unreadable = [](const Subtree&) -> Result<Digest> {
    return Fail(ErrorCode::kUnavailable, "disk");
  };
  EXPECT_THAT(ProveInclusion({0}, {2}, unreadable), FailsWith(ErrorCode::kUnavailable));
  EXPECT_THAT(ProveConsistency({1}, {2}, unreadable), FailsWith(ErrorCode::kUnavailable));
  EXPECT_THAT(ReadRoot({2}, unreadable), FailsWith(ErrorCode::kUnavailable));
}

TEST(ReadRightEdge, RebuildsACompactTree) {
  const std::vector<Digest> leaves = EntryLeaves(100);
  for (std::size_t size = 0; size <= leaves.size(); ++size) {
    const auto edge = ReadRightEdge({size}, NaiveReader(leaves));
    ASSERT_THAT(edge, IsOk());
    const auto tree = CompactTree::FromRightEdge({size}, *edge);
    ASSERT_THAT(tree, IsOk());
    EXPECT_EQ(tree->Root(), NaiveRoot(Leaves(leaves).first(size)));
    EXPECT_EQ(*ReadRoot({size}, NaiveReader(leaves)), tree->Root());
  }
}

}  // namespace
}  // namespace comity::merkle
