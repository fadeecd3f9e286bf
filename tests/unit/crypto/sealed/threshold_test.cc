// SPDX-License-Identifier: Apache-2.0
#include "crypto/sealed/threshold.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "crypto/sealed/ring.h"
#include "tests/support/result_matchers.h"
#include "tests/unit/crypto/sealed/search.h"
#include "tests/unit/crypto/sealed/slow_reference.h"

namespace comity::sealed {
namespace {

using comity::testing::FailsWith;
using comity::testing::IsOk;

// Every pair of leading bits of t and r, with all low bits that could carry.
TEST(Threshold, EveryPairOfSharesGivesTheBitOfTheDefinition) {
  std::vector<std::uint32_t> t;
  std::vector<std::uint32_t> b;
  for (std::uint32_t left = 0; left < 128; ++left) {
    for (std::uint32_t right = 0; right < 128; ++right) {
      for (const std::uint32_t low : {0U, 1U, 65535U, 65536U, 65537U, 131071U}) {
        t.push_back(left << 17 | ((low * 7 + right) & 131071));
        b.push_back(right << 17 | low);
      }
    }
  }
  for (const std::uint32_t threshold : {0U, 1U, 1'310'368U, 4'000'001U}) {
    const auto hits = testing::CompareAll(b, t, threshold);
    for (std::size_t i = 0; i < t.size(); ++i) {
      ASSERT_EQ(hits[i], reference::IsHit(t[i], b[i], threshold)) << t[i] << " " << b[i];
    }
  }
}

TEST(Threshold, AMaskFlipsTheBitTheHolderReads) {
  const std::vector<std::uint32_t> t = {5'000'000, 5'000'000, 12, 12};
  const std::vector<std::uint32_t> b = {0, 0, 0, 0};
  const std::vector<std::uint8_t> masks = {0, 1, 0, 1};
  const testing::IdealPads pads(4, 1);
  const auto tables =
      EncodeTables({.threshold = 2'000'000, .scores = b, .pads = pads.pads, .masks = masks},
                   EncodeOffsets(t, pads.holder()));
  EXPECT_THAT(OpenTables(t, pads.holder(), *tables)->Expose(), ::testing::ElementsAre(1, 0, 0, 1));
}

TEST(Threshold, OffsetsArePackedSixBitsEach) {
  const std::vector<std::uint32_t> t = {1U << 17, 2U << 17, 63U << 17, 0, 64U << 17 | 5U << 17};
  const std::vector<std::uint8_t> choices = {0, 1, 0, 1, 0};  // d = 1, 1, 63, 63, 5
  const std::vector<std::uint8_t> bits(5);
  const Bytes offsets = EncodeOffsets(t, {choices, bits});
  // 1 | 1 << 6 | 63 << 12 | 63 << 18 | 5 << 24
  EXPECT_THAT(offsets, ::testing::ElementsAre(0x41, 0xf0, 0xff, 0x05));
}

class ReceivedTables : public ::testing::TestWithParam<std::size_t> {};

TEST_P(ReceivedTables, OfTheWrongLengthAreRefused) {
  const std::size_t slots = GetParam();
  const testing::IdealPads pads(slots, 1);
  const std::vector<std::uint32_t> shares(slots, 77);
  const std::vector<std::uint8_t> masks(slots);
  const RequesterInput input{.threshold = 1, .scores = shares, .pads = pads.pads, .masks = masks};
  Bytes offsets = EncodeOffsets(shares, pads.holder());
  ASSERT_EQ(offsets.size(), OffsetBytes(slots));
  auto tables = EncodeTables(input, offsets);
  ASSERT_THAT(tables, IsOk());
  EXPECT_EQ(tables->size(), 8 * slots);
  EXPECT_THAT(OpenTables(shares, pads.holder(), *tables), IsOk());
  offsets.push_back(0);
  EXPECT_THAT(EncodeTables(input, offsets), FailsWith(ErrorCode::kInvalidArgument));
  tables->push_back(0);
  EXPECT_THAT(OpenTables(shares, pads.holder(), *tables), FailsWith(ErrorCode::kInvalidArgument));
  if (slots == 0) return;
  offsets.resize(offsets.size() - 2);
  EXPECT_THAT(EncodeTables(input, offsets), FailsWith(ErrorCode::kInvalidArgument));
  tables->resize(tables->size() - 2);
  EXPECT_THAT(OpenTables(shares, pads.holder(), *tables), FailsWith(ErrorCode::kInvalidArgument));
}

INSTANTIATE_TEST_SUITE_P(Slots, ReceivedTables, ::testing::Values(0, 1, 2, 3, 4, 5, 1000));

TEST(Threshold, SpareBitsOfTheOffsetsMustBeZero) {
  for (const std::size_t slots : {1U, 2U, 3U, 5U}) {
    const testing::IdealPads pads(slots, 1);
    const std::vector<std::uint32_t> shares(slots, 77);
    const std::vector<std::uint8_t> masks(slots);
    Bytes offsets = EncodeOffsets(shares, pads.holder());
    offsets.back() |= 0x80;
    EXPECT_THAT(EncodeTables({.threshold = 1, .scores = shares, .pads = pads.pads, .masks = masks},
                             offsets),
                FailsWith(ErrorCode::kInvalidArgument))
        << slots;
  }
}

// The holder reads one bit of a table; without the pad the others would be the requester's share.
TEST(Threshold, TheTablesAreUniformToWhoDoesNotKnowThePads) {
  constexpr std::size_t kSlots = 20000;
  const testing::IdealPads pads(kSlots, 5);
  const std::vector<std::uint32_t> shares(kSlots, 77);
  const std::vector<std::uint8_t> masks(kSlots);
  const auto tables =
      EncodeTables({.threshold = 1, .scores = shares, .pads = pads.pads, .masks = masks},
                   EncodeOffsets(shares, pads.holder()));
  std::array<int, 64> ones{};
  for (std::size_t i = 0; i < 8 * kSlots; ++i) {
    for (std::size_t bit = 0; bit < 8; ++bit) ones.at(i % 8 * 8 + bit) += (*tables)[i] >> bit & 1;
  }
  for (const int count : ones) EXPECT_NEAR(count, kSlots / 2, 354);  // 5 sd
}

}  // namespace
}  // namespace comity::sealed
