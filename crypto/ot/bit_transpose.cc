// SPDX-License-Identifier: Apache-2.0
#include "crypto/ot/bit_transpose.h"

#include <array>

#include "crypto/base/check.h"
#include "crypto/base/secret.h"
#include "crypto/ot/avx512.h"

namespace comity::ot {
namespace {

using Square = std::array<std::uint64_t, 64>;

// Swaps ever smaller quarters: Hacker's Delight, section 7-3, for 64 rows, bit 0 first.
void TransposeSquare(Square& rows) {
  std::uint64_t mask = 0x00000000ffffffffULL;
  for (std::size_t half = 32; half != 0; half /= 2, mask ^= mask << half) {
    for (std::size_t i = 0; i < 64; i = (i + half + 1) & ~half) {
      const std::uint64_t swapped = (rows[i] >> half ^ rows[i + half]) & mask;
      rows[i] ^= swapped << half;
      rows[i + half] ^= swapped;
    }
  }
}

// The 128 rows of block `at` of every column.
void TransposeBlock(const ColumnSpans& in, std::size_t at, Block* rows) {
  Square low, high;
  for (std::size_t half = 0; half < 2; ++half) {
    for (std::size_t i = 0; i < 64; ++i) {
      const Block& block = in.columns[(64 * half + i) * in.stride + at];
      low[i] = block.low;
      high[i] = block.high;
    }
    TransposeSquare(low);
    TransposeSquare(high);
    for (std::size_t i = 0; i < 64; ++i) {
      (half == 0 ? rows[i].low : rows[i].high) = low[i];
      (half == 0 ? rows[64 + i].low : rows[64 + i].high) = high[i];
    }
  }
  Wipe({reinterpret_cast<std::uint8_t*>(low.data()), sizeof(low)});
  Wipe({reinterpret_cast<std::uint8_t*>(high.data()), sizeof(high)});
}

}  // namespace

void TransposeColumns(const ColumnSpans& in, Kernel kernel, std::span<Block> rows) {
  COMITY_CHECK(in.stride >= in.count && rows.size() == kBitsABlock * in.count);
  std::size_t at = 0;
  if (kernel == Kernel::kAvx512)
    at = avx512::Transpose(in.columns, in.stride, in.count, rows.data());
  for (; at < in.count; ++at) TransposeBlock(in, at, rows.subspan(kBitsABlock * at).data());
}

}  // namespace comity::ot
