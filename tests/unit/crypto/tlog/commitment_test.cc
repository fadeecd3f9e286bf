// SPDX-License-Identifier: Apache-2.0
#include "crypto/tlog/commitment.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "crypto/hash/sha256.h"
#include "tests/support/result_matchers.h"

namespace comity::tlog {
namespace {

using testing::FailsWith;
using testing::IsOk;

SecretBytes PayloadOf(std::size_t size) {
  return SecretBytes::CopyOf(Bytes(size, std::uint8_t{7}));
}

TEST(Commitment, IsTheHmacOfDomainFieldAndOctets) {
  const SecretBytes key(kRecordKeySize);
  EXPECT_EQ(Commit(key, "operator", AsBytes("value")),
            hash::HmacSha256(key, {AsBytes("comity/audit/v1|operator|value")}));
}

TEST(Commitment, OpensOnlyWithItsKeyFieldAndOctets) {
  SystemRandom random;
  const SecretBytes key = GenerateRecordKey(random);
  const Digest commitment = Commit(key, "operator", AsBytes("value"));
  EXPECT_TRUE(Opens(commitment, key, "operator", AsBytes("value")));
  EXPECT_FALSE(Opens(commitment, key, "operator", AsBytes("Value")));
  EXPECT_FALSE(Opens(commitment, key, "operato", AsBytes("value")));
  EXPECT_FALSE(Opens(commitment, GenerateRecordKey(random), "operator", AsBytes("value")));
}

TEST(PayloadKey, DiffersFromRecordKeyAndFromAnyOtherRecords) {
  SystemRandom random;
  const SecretBytes first = GenerateRecordKey(random);
  const SecretBytes second = GenerateRecordKey(random);
  EXPECT_EQ(DerivePayloadKey(first).size(), 32U);
  EXPECT_FALSE(ConstantTimeEqual(DerivePayloadKey(first).Expose(), first.Expose()));
  EXPECT_FALSE(
      ConstantTimeEqual(DerivePayloadKey(first).Expose(), DerivePayloadKey(second).Expose()));
  EXPECT_TRUE(
      ConstantTimeEqual(DerivePayloadKey(first).Expose(), DerivePayloadKey(first).Expose()));
}

TEST(Padding, FillsToPowersOfFour) {
  const std::pair<std::size_t, std::size_t> sizes[] = {
      {0, 256},       {252, 256},
      {253, 1024},    {1020, 1024},
      {1021, 4096},   {4092, 4096},
      {4093, 16384},  {16380, 16384},
      {16381, 65536}, {16 * 1024 * 1024 - 4, 16 * 1024 * 1024}};
  for (const auto& [size, bucket] : sizes) {
    const auto padded = PadToBucket(PayloadOf(size));
    ASSERT_THAT(padded, IsOk());
    EXPECT_EQ(padded->size(), bucket);
    const auto payload = Unpad(*padded);
    ASSERT_THAT(payload, IsOk());
    EXPECT_TRUE(ConstantTimeEqual(payload->Expose(), PayloadOf(size).Expose()));
  }
}

TEST(Padding, RefusesWhatFitsNoBucket) {
  EXPECT_THAT(PadToBucket(PayloadOf(16 * 1024 * 1024 - 3)), FailsWith(ErrorCode::kInvalidArgument));
}

TEST(Padding, RefusesAnotherForm) {
  const SecretBytes good = *PadToBucket(PayloadOf(100));
  for (const std::size_t size : {0U, 3U, 104U, 255U}) {
    EXPECT_THAT(Unpad(SecretBytes::CopyOf(good.Expose().first(size))),
                FailsWith(ErrorCode::kCorrupt));
  }
  const std::pair<std::size_t, std::uint8_t> changes[] = {{0, 1}, {2, 1}, {104, 1}, {255, 1}};
  for (const auto& [at, value] : changes) {
    SecretBytes bad = good.Clone();
    bad.ExposeMutable()[at] = value;
    EXPECT_THAT(Unpad(bad), FailsWith(ErrorCode::kCorrupt)) << at;
  }
  SecretBytes larger_bucket(1024);
  std::copy(good.Expose().begin(), good.Expose().end(), larger_bucket.ExposeMutable().begin());
  EXPECT_THAT(Unpad(larger_bucket), FailsWith(ErrorCode::kCorrupt));
}

}  // namespace
}  // namespace comity::tlog
