// SPDX-License-Identifier: Apache-2.0
#include "crypto/ot/column_hash.h"

#include <array>
#include <cstdint>

#include "crypto/base/check.h"
#include "crypto/base/secret.h"
#include "crypto/ot/avx512.h"

namespace comity::ot {
namespace {

using Product = std::array<std::uint64_t, 4>;  // 256 bits, least word first

// sums[j] = XOR of the blocks whose coefficient has bit j set; then X^j * sums[j] are added up. The
// only multiplications are shifts, and what chooses is public.
Product MultiplyAccumulate(std::span<const Block> column, std::span<const Block> coefficients) {
  std::array<Block, kBitsABlock> sums{};
  for (std::size_t i = 0; i < coefficients.size(); ++i) {
    for (std::size_t j = 0; j < kBitsABlock; ++j) {
      sums[j] ^= column[i] & BlockMaskOf(BitOf(coefficients[i], j));
    }
  }
  Product product{};
  for (std::size_t j = 0; j < kBitsABlock; ++j) {
    const std::size_t word = j / 64;
    const std::size_t shift = j % 64;
    const Block& sum = sums[j];
    product[word] ^= sum.low << shift;
    product[word + 1] ^= sum.high << shift;
    if (shift != 0) {
      product[word + 1] ^= sum.low >> (64 - shift);
      product[word + 2] ^= sum.high >> (64 - shift);
    }
  }
  Wipe(AsWritableOctets(sums));
  return product;
}

// X^128 = X^7 + X^2 + X + 1.
Block Reduce(const Product& p) {
  // What the upper half carries above bit 127 once it is multiplied by the short polynomial.
  const std::uint64_t carried = p[3] >> 63 ^ p[3] >> 62 ^ p[3] >> 57;
  const auto times = [](std::uint64_t word) { return word ^ word << 1 ^ word << 2 ^ word << 7; };
  const std::uint64_t between = p[2] >> 63 ^ p[2] >> 62 ^ p[2] >> 57;
  return {p[0] ^ times(p[2]) ^ times(carried), p[1] ^ times(p[3]) ^ between};
}

}  // namespace

Block HashColumn(std::span<const Block> column, std::span<const Block> coefficients,
                 Kernel kernel) {
  COMITY_CHECK(column.size() == coefficients.size() + 1);
  const Product product =
      kernel == Kernel::kAvx512
          ? avx512::MultiplyAccumulate(column.data(), coefficients.data(), coefficients.size())
          : MultiplyAccumulate(column, coefficients);
  return Reduce(product) ^ column.back();
}

}  // namespace comity::ot
