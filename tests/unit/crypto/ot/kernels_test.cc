// SPDX-License-Identifier: Apache-2.0
// The heavy loops against the definition of what they compute, with every kernel of this machine.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

#include "crypto/base/encoding.h"
#include "crypto/ot/aes128.h"
#include "crypto/ot/bit_transpose.h"
#include "crypto/ot/column_hash.h"
#include "crypto/ot/kernel.h"
#include "crypto/ot/leaf_expansion.h"
#include "crypto/ot/row_hash.h"
#include "tests/unit/crypto/ot/reference.h"
#include "tests/unit/crypto/ot/seeded_random.h"

namespace comity {
namespace {

using ot::Block;
using ot::Kernel;

std::vector<Block> RandomBlocks(std::uint64_t seed, std::size_t count) {
  std::vector<Block> blocks(count);
  testing::SeededRandom(seed).Fill(ot::AsWritableOctets(blocks));
  return blocks;
}
std::string Hex(std::span<const Block> blocks) {
  return EncodeHex(ot::AsOctets(blocks));
}

// A machine without AVX-512 runs the portable code twice.
class OtKernel : public ::testing::TestWithParam<Kernel> {};
INSTANTIATE_TEST_SUITE_P(All, OtKernel, ::testing::Values(Kernel::kPortable, ot::FastestKernel()),
                         [](const auto& param) { return "Kernel" + std::to_string(param.index); });

// FIPS 197, appendix C.1.
TEST(OtAes, IsThatOfTheStandard) {
  const Block key = ot::LoadBlock(ParseHex("000102030405060708090a0b0c0d0e0f").value());
  const Block text = ot::LoadBlock(ParseHex("00112233445566778899aabbccddeeff").value());
  std::vector<Block> blocks(2100, text);
  ot::Aes128(key).Encrypt(blocks);
  for (const Block& block : blocks) {
    EXPECT_EQ(Hex({&block, 1}), "69c4e0d86a7b0430d8cdb78070b4c55a");
  }
}

TEST_P(OtKernel, RowHashIsTheFormulaForEveryNumberOfRows) {
  const Block key = RandomBlocks(1, 1)[0];
  const Block offset = RandomBlocks(8, 1)[0];
  const std::uint64_t first = 0xfffffffe;
  for (const std::size_t count : {0UL, 1UL, 3UL, 4UL, 5UL, 31UL, 32UL, 33UL, 900UL}) {
    const std::vector<Block> rows = RandomBlocks(2, count);
    std::vector<std::uint64_t> hashes(count);
    ot::RowHash(key, GetParam()).Hash(first, rows, offset, hashes);
    for (std::size_t i = 0; i < count; ++i) {
      const auto row = ot::Octets(rows[i] ^ offset);
      ASSERT_EQ(hashes[i], testing::reference::PadHash(ot::Octets(key), first + i, row)) << i;
    }
  }
}

TEST_P(OtKernel, TransposingMovesEveryBitToItsPlace) {
  for (const std::size_t count : {1UL, 3UL, 4UL, 5UL, 9UL}) {
    const std::size_t stride = count + 1;
    const std::vector<Block> columns = RandomBlocks(3, ot::kColumnCount * stride);
    std::vector<Block> rows(ot::kBitsABlock * count);
    ot::TransposeColumns({columns.data(), stride, count}, GetParam(), rows);
    for (std::size_t t = 0; t < rows.size(); ++t) {
      for (std::size_t c = 0; c < ot::kColumnCount; ++c) {
        const Block& block = columns[c * stride + t / ot::kBitsABlock];
        ASSERT_EQ(ot::BitOf(rows[t], c), ot::BitOf(block, t % ot::kBitsABlock)) << t << " " << c;
      }
    }
  }
}

TEST_P(OtKernel, ColumnHashIsThePolynomialSum) {
  for (const std::size_t count : {1UL, 2UL, 4UL, 6UL, 9UL}) {
    const std::vector<Block> column = RandomBlocks(4, count + 1);
    const std::vector<Block> chi = RandomBlocks(5, count);
    const Block hash = ot::HashColumn(column, chi, GetParam());
    auto expected = ot::Octets(column.back());
    for (std::size_t i = 0; i < count; ++i) {
      const auto term = testing::reference::Multiply(ot::Octets(column[i]), ot::Octets(chi[i]));
      for (std::size_t k = 0; k < term.size(); ++k) expected[k] ^= term[k];
    }
    EXPECT_EQ(Hex({&hash, 1}), EncodeHex(expected));
  }
}

TEST_P(OtKernel, ColumnHashReducesTheHighestPowers) {
  const Block ones{~std::uint64_t{0}, ~std::uint64_t{0}};
  const std::vector<Block> column = {ones, Block{}};
  const Block hash = ot::HashColumn(column, std::vector<Block>{ones}, GetParam());
  EXPECT_EQ(Hex({&hash, 1}),
            EncodeHex(testing::reference::Multiply(ot::Octets(ones), ot::Octets(ones))));
}

TEST_P(OtKernel, LeavesFoldAsTheirBitsSay) {
  const std::vector<Block> keys = RandomBlocks(6, ot::kLeafCount);
  for (const std::size_t count : {1UL, 4UL, 15UL, 16UL, 17UL, 300UL}) {
    const std::uint64_t first = 0xfffffff0;
    std::vector<Block> sum(count), planes(ot::kTreeDepth * count), expected_sum(count),
        expected(ot::kTreeDepth * count);
    ot::LeafExpansion(keys, GetParam())
        .Expand(first, {.sum = ot::AsWritableOctets(sum),
                        .planes = planes.data(),
                        .stride = count,
                        .count = count});
    for (std::size_t x = 0; x < ot::kLeafCount; ++x) {
      for (std::size_t i = 0; i < count; ++i) {
        std::array<std::uint8_t, 16> counter{};
        for (std::size_t k = 0; k < 8; ++k) {
          counter[15 - k] = static_cast<std::uint8_t>((first + i) >> (8 * k));
        }
        const Block r = ot::LoadBlock(testing::reference::Aes(ot::Octets(keys[x]), counter));
        expected_sum[i] ^= r;
        for (std::size_t b = 0; b < ot::kTreeDepth; ++b) {
          if ((x >> b & 1) != 0) expected[b * count + i] ^= r;
        }
      }
    }
    EXPECT_EQ(Hex(sum), Hex(expected_sum));
    EXPECT_EQ(Hex(planes), Hex(expected));
  }
}

TEST_P(OtKernel, OffsetAndCorrectionGoWhereTheyAreSent) {
  const std::vector<Block> keys = RandomBlocks(9, ot::kLeafCount);
  constexpr std::size_t kCount = 21;
  const std::vector<Block> offset = RandomBlocks(10, kCount);
  const std::vector<Block> correction = RandomBlocks(11, kCount);
  std::vector<Block> sum(kCount), plain(4 * kCount), other_sum(kCount), corrected(4 * kCount);
  ot::LeafExpansion expansion(keys, GetParam());
  expansion.Expand(3, {.sum = ot::AsWritableOctets(sum),
                       .planes = plain.data(),
                       .stride = kCount,
                       .count = kCount});
  expansion.Expand(3, {.sum = ot::AsWritableOctets(other_sum),
                       .sum_offset = offset,
                       .correction = ot::AsOctets(correction),
                       .correction_planes = 0b1010,
                       .planes = corrected.data(),
                       .stride = kCount,
                       .count = kCount});
  for (std::size_t i = 0; i < kCount; ++i) {
    sum[i] ^= offset[i];
    plain[kCount + i] ^= correction[i];
    plain[3 * kCount + i] ^= correction[i];
  }
  EXPECT_EQ(Hex(other_sum), Hex(sum));
  EXPECT_EQ(Hex(corrected), Hex(plain));
}

TEST_P(OtKernel, WithoutTheSumLeafZeroDoesNotMatter) {
  std::vector<Block> keys = RandomBlocks(7, ot::kLeafCount);
  std::vector<Block> sum(20), with(80), without(80);
  ot::LeafExpansion(keys, GetParam())
      .Expand(5,
              {.sum = ot::AsWritableOctets(sum), .planes = with.data(), .stride = 20, .count = 20});
  keys[0] = Block{};
  ot::LeafExpansion(keys, GetParam())
      .Expand(5, {.planes = without.data(), .stride = 20, .count = 20});
  EXPECT_EQ(Hex(with), Hex(without));
}

TEST(OtBlock, MasksAndEqualityAreWhatTheyAreCalled) {
  EXPECT_EQ(ot::MaskOf(0), 0U);
  EXPECT_EQ(ot::MaskOf(1), ~std::uint64_t{0});
  EXPECT_EQ(ot::EqualBit(7, 7), 1U);
  EXPECT_EQ(ot::EqualBit(7, 6), 0U);
  EXPECT_EQ(ot::EqualBit(0, 15), 0U);
}

}  // namespace
}  // namespace comity
