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
  testing::DealtPads pads(4, 1);
  ToldOffsets told = TellOffsets(t, pads.holder());
  const auto tables = CoverTables({.threshold = 2'000'000, .scores = b, .masks = masks},
                                  told.message, pads.requester());
  EXPECT_THAT(OpenTables(t, std::move(told.openings), *tables)->Expose(),
              ::testing::ElementsAre(1, 0, 0, 1));
}

TEST(Threshold, OffsetsArePackedSixBitsEach) {
  const std::vector<std::uint32_t> t = {1U << 17, 2U << 17, 63U << 17, 0, 64U << 17 | 5U << 17};
  testing::DealtPads pads(std::vector<std::uint8_t>{0, 1, 0, 1, 0}, 1);  // d = 1, 1, 63, 63, 5
  // 1 | 1 << 6 | 63 << 12 | 63 << 18 | 5 << 24
  EXPECT_THAT(TellOffsets(t, pads.holder()).message,
              ::testing::ElementsAre(0x41, 0xf0, 0xff, 0x05));
}

// What both sides need for a comparison of as many slots, all with the same shares.
struct Compared {
  explicit Compared(std::size_t slots)
      : shares(slots, 77), masks(slots), pads(slots, 1), told(TellOffsets(shares, pads.holder())) {}
  Result<Bytes> Cover(ByteView offsets) {
    return CoverTables({.threshold = 1, .scores = shares, .masks = masks}, offsets,
                       pads.requester());
  }
  Result<SecretBytes> Open(ByteView tables) {
    return OpenTables(shares, std::move(told.openings), tables);
  }

  std::vector<std::uint32_t> shares;
  std::vector<std::uint8_t> masks;
  testing::DealtPads pads;
  ToldOffsets told;
};

class ReceivedTables : public ::testing::TestWithParam<std::size_t> {};

TEST_P(ReceivedTables, OfTheRightLengthAreOpened) {
  const std::size_t slots = GetParam();
  Compared honest(slots);
  ASSERT_EQ(honest.told.message.size(), OffsetBytes(slots));
  const auto tables = honest.Cover(honest.told.message);
  ASSERT_THAT(tables, IsOk());
  EXPECT_EQ(tables->size(), 8 * slots);
  EXPECT_EQ(honest.Open(*tables)->size(), slots);
}

TEST_P(ReceivedTables, OfTheWrongLengthAreRefused) {
  const std::size_t slots = GetParam();
  for (const std::size_t size : {OffsetBytes(slots) - 1, OffsetBytes(slots) + 1}) {
    EXPECT_THAT(Compared(slots).Cover(Bytes(size)), FailsWith(ErrorCode::kInvalidArgument));
  }
  for (const std::size_t size : {std::size_t{0}, 8 * slots - 1, 8 * slots + 1, 8 * slots + 8}) {
    EXPECT_THAT(Compared(slots).Open(Bytes(size)), FailsWith(ErrorCode::kInvalidArgument));
  }
}

INSTANTIATE_TEST_SUITE_P(Slots, ReceivedTables, ::testing::Values(1, 2, 3, 4, 5, 1000));

TEST(Threshold, SpareBitsOfTheOffsetsMustBeZero) {
  for (const std::size_t slots : {1U, 2U, 3U, 5U}) {
    Compared honest(slots);
    Bytes offsets = honest.told.message;
    offsets.back() |= 0x80;
    EXPECT_THAT(honest.Cover(offsets), FailsWith(ErrorCode::kInvalidArgument)) << slots;
  }
}

// The holder reads one bit of a table; without the pad the others would be the requester's share.
TEST(Threshold, TheTablesAreUniformToWhoDoesNotKnowThePads) {
  constexpr std::size_t kSlots = 20000;
  Compared honest(kSlots);
  const auto tables = honest.Cover(honest.told.message);
  std::array<int, 64> ones{};
  for (std::size_t i = 0; i < 8 * kSlots; ++i) {
    for (std::size_t bit = 0; bit < 8; ++bit) ones.at(i % 8 * 8 + bit) += (*tables)[i] >> bit & 1;
  }
  for (const int count : ones) EXPECT_NEAR(count, kSlots / 2, 354);  // 5 sd
}

}  // namespace
}  // namespace comity::sealed
