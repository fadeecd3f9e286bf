// SPDX-License-Identifier: Apache-2.0
#include "crypto/sealed/seal.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "crypto/hash/blake2b.h"
#include "tests/support/result_matchers.h"
#include "tests/unit/crypto/sealed/samples.h"
#include "tests/unit/crypto/sealed/slow_reference.h"

namespace comity::sealed {
namespace {

using comity::testing::FailsWith;
using comity::testing::IsOk;
using testing::Faces;
using testing::PublicSeed;
using testing::SampleIdentity;
using testing::SeededRandom;

class Sealing : public ::testing::Test {
 protected:
  SealedWithRoot SealIt(const std::vector<std::int8_t>& entries, std::uint8_t seed = 1) const {
    SeededRandom random(seed);
    return *Seal(profile_, matrix_, SampleIdentity(), entries, random);
  }

  const Scales scales_{.dimension = 128};
  const Profile profile_ = *Profile::Create(scales_);
  const SealingMatrix matrix_ = *SealingMatrix::Expand(PublicSeed(), 128);
  const std::vector<std::int8_t> entries_ = Faces(128, 1).Templates(40);
};

TEST_F(Sealing, EqualsTheFormulas) {
  for (const std::size_t count : {1U, 16U, 40U}) {
    const std::vector<std::int8_t> entries(entries_.begin(),
                                           entries_.begin() + static_cast<long>(count * 128));
    const auto sealed = SealIt(entries);
    const Bytes key =
        reference::ExpansionKey(SampleIdentity(), sealed.root.root.Expose(),
                                static_cast<std::uint32_t>(count), sealed.root.contents);
    const auto block = reference::Seal(scales_, profile_.delta(), PublicSeed(), key, entries);
    EXPECT_TRUE(std::ranges::equal(sealed.block.p, block.p));
    ASSERT_EQ(sealed.block.count(), count);
    for (std::size_t i = 0; i < count; ++i) {
      for (std::size_t j = 0; j < 128; ++j) {
        ASSERT_EQ(sealed.block.rows.At(i, j), block.columns[j][i]) << i << " " << j;
      }
    }
  }
}

TEST_F(Sealing, EveryBlockHasARootOfItsOwn) {
  SeededRandom random(1);
  const auto first = *Seal(profile_, matrix_, SampleIdentity(), entries_, random);
  const auto second = *Seal(profile_, matrix_, SampleIdentity(), entries_, random);
  EXPECT_FALSE(ConstantTimeEqual(first.root.root.Expose(), second.root.root.Expose()));
  EXPECT_NE(first.block.p, second.block.p);
}

// A machine that repeats its randomness must not seal two templates in one slot under one key.
TEST_F(Sealing, OtherContentsUnderOneRootHaveAnotherKey) {
  auto other = entries_;
  std::swap(other[0], other[1]);
  ASSERT_NE(other, entries_);
  const auto first = SealIt(entries_);
  const auto second = SealIt(other);
  ASSERT_TRUE(ConstantTimeEqual(first.root.root.Expose(), second.root.root.Expose()));
  EXPECT_NE(first.root.contents, second.root.contents);
  EXPECT_NE(first.block.p, second.block.p);  // p has no template in it: the key is another
  const auto fewer = SealIt({entries_.begin(), entries_.end() - 128});
  EXPECT_NE(first.block.p, fewer.block.p);
  SeededRandom random(1);
  BlockIdentity identity = SampleIdentity();
  ++identity.number;
  EXPECT_NE(first.block.p, Seal(profile_, matrix_, identity, entries_, random)->block.p);
  identity = SampleIdentity();
  identity.header.bytes[31] ^= 1;
  SeededRandom again(1);
  EXPECT_NE(first.block.p, Seal(profile_, matrix_, identity, entries_, again)->block.p);
}

TEST_F(Sealing, TheAuditorGetsTheHashOfTheBlock) {
  const auto sealed = SealIt(entries_);
  const Digest hash = BlockHash(SampleIdentity().header, sealed.block);
  const auto audited =
      AuditReseal(profile_, matrix_, SampleIdentity(), sealed.root.root.Expose(), entries_);
  ASSERT_THAT(audited, IsOk());
  EXPECT_EQ(*audited, hash);
  auto other = entries_;
  std::swap(other[0], other[1]);
  EXPECT_NE(*AuditReseal(profile_, matrix_, SampleIdentity(), sealed.root.root.Expose(), other),
            hash);
  EXPECT_THAT(AuditReseal(profile_, matrix_, SampleIdentity(), Bytes(31), entries_),
              FailsWith(ErrorCode::kInvalidArgument));
}

TEST_F(Sealing, RefusesWhatIsNoBlock) {
  SeededRandom random(1);
  const auto refused = [&](const std::vector<std::int8_t>& entries) {
    return Seal(profile_, matrix_, SampleIdentity(), entries, random);
  };
  EXPECT_THAT(refused({}), FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_THAT(refused({entries_.begin(), entries_.end() - 1}),
              FailsWith(ErrorCode::kInvalidArgument));
  auto many = entries_;
  while (many.size() <= kRingDegree * 128)
    many.insert(many.end(), entries_.begin(), entries_.end());
  EXPECT_THAT(refused(many), FailsWith(ErrorCode::kInvalidArgument));
  auto crafted = entries_;
  std::fill_n(crafted.begin() + 5 * 128, 128, std::int8_t{127});
  EXPECT_THAT(refused(crafted), FailsWith(ErrorCode::kInvalidArgument));
  crafted = entries_;
  crafted.back() = -128;
  EXPECT_THAT(refused(crafted), FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_THAT(
      Seal(profile_, *SealingMatrix::Expand(PublicSeed(), 256), SampleIdentity(), entries_, random),
      FailsWith(ErrorCode::kInvalidArgument));
}

TEST_F(Sealing, ABlockSurvivesTheWire) {
  const auto sealed = SealIt(entries_);
  const Bytes bytes = EncodeSealedBlock(sealed.block);
  EXPECT_EQ(bytes.size(), EncodedBlockBytes(40, 128));
  const auto parsed = ParseSealedBlock(bytes, 128, SampleIdentity().number);
  ASSERT_THAT(parsed, IsOk());
  EXPECT_EQ(EncodeSealedBlock(*parsed), bytes);
  EXPECT_EQ(BlockHash({}, *parsed), BlockHash({}, sealed.block));
  EXPECT_EQ(BlockHash({}, *parsed),
            hash::Blake2b256({AsBytes("comity/sealed-v1/block-hash"), Digest{}.view(), bytes}));
}

TEST_F(Sealing, BrokenBlocksAreRefused) {
  const Bytes bytes = EncodeSealedBlock(SealIt(entries_).block);
  const std::uint32_t number = SampleIdentity().number;
  for (std::size_t size : {std::size_t{0}, std::size_t{11}, std::size_t{12}, bytes.size() - 1}) {
    EXPECT_THAT(ParseSealedBlock(ByteView(bytes).first(size), 128, number),
                FailsWith(ErrorCode::kInvalidArgument));
  }
  auto longer = bytes;
  longer.push_back(0);
  EXPECT_THAT(ParseSealedBlock(longer, 128, number), FailsWith(ErrorCode::kInvalidArgument));
  for (std::size_t at = 0; at < kBlockHeaderBytes; ++at) {
    auto wrong = bytes;
    wrong[at] ^= 1;
    EXPECT_THAT(ParseSealedBlock(wrong, 128, number), FailsWith(ErrorCode::kInvalidArgument)) << at;
  }
  for (const std::size_t dimension : {0U, 127U, 256U}) {
    EXPECT_THAT(ParseSealedBlock(bytes, dimension, number), FailsWith(ErrorCode::kInvalidArgument));
  }
  Bytes empty(EncodedBlockBytes(0, 128));
  empty[8] = 128;
  EXPECT_THAT(ParseSealedBlock(empty, 128, 0), FailsWith(ErrorCode::kInvalidArgument));
}

TEST(SealingKeys, OfTheWrongLengthAreRefused) {
  EXPECT_THAT(PublicMatrix::Expand(Bytes(31), 128), FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_THAT(PublicMatrix::Expand(Bytes(32), 129), FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_THAT(SealingMatrix::Expand(Bytes(33), 128), FailsWith(ErrorCode::kInvalidArgument));
  BlockRoot root{.root = SecretBytes(31), .contents = {}, .count = 1};
  EXPECT_THAT(BlockSecret::Derive({}, root), FailsWith(ErrorCode::kInvalidArgument));
  root = {.root = SecretBytes(32), .contents = {}, .count = 1025};
  EXPECT_THAT(BlockSecret::Derive({}, root), FailsWith(ErrorCode::kInvalidArgument));
}

TEST(RandomSlotOrder, IsAPermutationAndUniform) {
  SeededRandom random(3);
  auto order = RandomSlotOrder(1024, random);
  EXPECT_FALSE(std::ranges::is_sorted(order));
  std::ranges::sort(order);
  for (std::uint32_t i = 0; i < 1024; ++i) ASSERT_EQ(order[i], i);
  EXPECT_THAT(RandomSlotOrder(1, random), ::testing::ElementsAre(0));
  // Each of the 6 orders of 3, 6,000 times: within 5 sd (29) of 1,000.
  std::map<std::vector<std::uint32_t>, int> seen;
  for (int run = 0; run < 6000; ++run) ++seen[RandomSlotOrder(3, random)];
  EXPECT_EQ(seen.size(), 6U);
  for (const auto& [_, times] : seen) EXPECT_NEAR(times, 1000, 145);
}

}  // namespace
}  // namespace comity::sealed
