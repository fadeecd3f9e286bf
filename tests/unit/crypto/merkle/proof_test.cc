// SPDX-License-Identifier: Apache-2.0
#include "crypto/merkle/proof.h"

#include <gtest/gtest.h>

#include <limits>

#include "crypto/merkle/tree_hash.h"
#include "tests/support/naive_tree.h"
#include "tests/support/result_matchers.h"
#include "tests/support/vectors.h"

namespace comity::merkle {
namespace {

using nlohmann::json;
using testing::DigestOf;
using testing::DigestsOf;
using testing::FailsWith;
using testing::IsOk;

Status VerifyInclusionCase(const json& one, std::uint64_t size, const Digest& root) {
  const InclusionProof proof{{one["index"].get<std::uint64_t>()}, {size}, DigestsOf(one["proof"])};
  return VerifyInclusion(DigestOf(one["leaf_hash"]), proof, root);
}

Status VerifyConsistencyCase(const json& one, std::uint64_t size, const Digest& root) {
  const ConsistencyProof proof{
      {one["old_size"].get<std::uint64_t>()}, {size}, DigestsOf(one["proof"])};
  return VerifyConsistency(proof, DigestOf(one["old_root"]), root);
}

void ExpectAllVerify(const json& trees, std::size_t& proofs) {
  for (const json& tree : trees) {
    const auto size = tree["size"].get<std::uint64_t>();
    const Digest root = DigestOf(tree["root"]);
    for (const json& one : tree["inclusion"]) {
      EXPECT_THAT(VerifyInclusionCase(one, size, root), IsOk()) << size << one;
      ++proofs;
    }
    for (const json& one : tree["consistency"]) {
      EXPECT_THAT(VerifyConsistencyCase(one, size, root), IsOk()) << size << one;
      ++proofs;
    }
  }
}

TEST(Proofs, OfTheVectorsVerify) {
  std::size_t proofs = 0;
  ExpectAllVerify(testing::ReadJsonVector("tlog/tree_ct8.json")["trees"], proofs);
  EXPECT_EQ(proofs, 72U);
  const json entries = testing::ReadJsonVector("tlog/tree_entries.json");
  ExpectAllVerify(entries["small"], proofs);
  ExpectAllVerify(entries["big"], proofs);
  EXPECT_GT(proofs, 500U);
}

TEST(Proofs, ThatMustBeRejectedAre) {
  const json cases = testing::ReadJsonVector("tlog/negative_proofs.json")["cases"];
  ASSERT_EQ(cases.size(), 101U);
  for (const json& one : cases) {
    const auto size = one["size"].get<std::uint64_t>();
    const Digest root = DigestOf(one["root"]);
    const Status status = one["kind"] == "inclusion" ? VerifyInclusionCase(one, size, root)
                                                     : VerifyConsistencyCase(one, size, root);
    ASSERT_FALSE(status.has_value()) << one;
    EXPECT_TRUE(status.error().code == ErrorCode::kCorrupt ||
                status.error().code == ErrorCode::kInvalidArgument);
  }
}

TEST(InclusionProof, RejectsPathLongerThan64) {
  const InclusionProof proof{
      {0}, {std::numeric_limits<std::uint64_t>::max()}, std::vector<Digest>(65)};
  EXPECT_THAT(VerifyInclusion({}, proof, {}), FailsWith(ErrorCode::kInvalidArgument));
}

TEST(InclusionProof, RejectsIndexAtOrBeyondSize) {
  EXPECT_THAT(VerifyInclusion({}, {{0}, {0}, {}}, EmptyRoot()),
              FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_THAT(VerifyInclusion({}, {{1}, {1}, {}}, {}), FailsWith(ErrorCode::kInvalidArgument));
}

TEST(InclusionProof, TellsAWrongRootFromAWrongLength) {
  const std::vector<Digest> leaves = testing::EntryLeaves(5);
  InclusionProof proof{{2}, {5}, testing::NaivePath(2, leaves)};
  EXPECT_THAT(VerifyInclusion(leaves[2], proof, leaves[0]), FailsWith(ErrorCode::kCorrupt));
  proof.path.pop_back();
  EXPECT_THAT(VerifyInclusion(leaves[2], proof, testing::NaiveRoot(leaves)),
              FailsWith(ErrorCode::kInvalidArgument));
}

TEST(InclusionProof, WorksAtTheLargestSize) {
  const std::uint64_t max = std::numeric_limits<std::uint64_t>::max();
  const Digest leaf = LeafHash(AsBytes("x"));
  Digest root = leaf;
  InclusionProof proof{{0}, {max}, {}};
  for (int i = 0; i < 64; ++i) {
    proof.path.push_back(LeafHash(AsBytes(std::to_string(i))));
    root = NodeHash(root, proof.path.back());
  }
  EXPECT_THAT(VerifyInclusion(leaf, proof, root), IsOk());
}

TEST(ConsistencyProof, OfTheEmptyTreeNeedsAnEmptyPathAndTheEmptyRoot) {
  const Digest root = LeafHash(AsBytes("x"));
  EXPECT_THAT(VerifyConsistency({{0}, {1}, {}}, EmptyRoot(), root), IsOk());
  EXPECT_THAT(VerifyConsistency({{0}, {1}, {root}}, EmptyRoot(), root),
              FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_THAT(VerifyConsistency({{0}, {1}, {}}, root, root), FailsWith(ErrorCode::kCorrupt));
}

TEST(ConsistencyProof, OfEqualSizesNeedsEqualRoots) {
  const Digest root = LeafHash(AsBytes("x"));
  EXPECT_THAT(VerifyConsistency({{1}, {1}, {}}, root, root), IsOk());
  EXPECT_THAT(VerifyConsistency({{1}, {1}, {}}, root, EmptyRoot()), FailsWith(ErrorCode::kCorrupt));
  EXPECT_THAT(VerifyConsistency({{1}, {1}, {root}}, root, root),
              FailsWith(ErrorCode::kInvalidArgument));
}

TEST(ConsistencyProof, RejectsPathLongerThan64AndShrinkingTrees) {
  EXPECT_THAT(VerifyConsistency({{1}, {2}, std::vector<Digest>(65)}, {}, {}),
              FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_THAT(VerifyConsistency({{2}, {1}, {}}, {}, {}), FailsWith(ErrorCode::kInvalidArgument));
}

}  // namespace
}  // namespace comity::merkle
