// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "crypto/ot/block.h"

// The heavy loops for Kernel::kAvx512, and nothing but loops: what they compute is said by the
// classes that call them (row_hash.h, leaf_expansion.h, bit_transpose.h, column_hash.h). None may
// be called unless FastestKernel() is kAvx512. No branch and no address depends on the data.
//
// Secret:  whatever is passed by pointer, except `coefficients`
// Leaks:   time depends on the counts only
// Threads: pure functions
namespace comity::ot::avx512 {

inline constexpr std::size_t kRoundKeys = 11;
using KeySchedule = std::array<Block, kRoundKeys>;

// FIPS 197, section 5.2, for AES-128.
void ExpandKey(const Block& key, KeySchedule& schedule);

struct RowHashes {
  const Block* rows;
  std::size_t count;
  Block offset;                // XORed into every row first
  std::uint64_t first_number;  // the tweak of the first row
  std::uint64_t* out;          // one word a row
};
// In: schedule  kRoundKeys blocks
void HashRows(const Block* schedule, const RowHashes& rows);

struct LeafPlanes {
  const Block* schedules;  // of the 16 leaves, kRoundKeys blocks each
  std::uint64_t first_counter;
  std::size_t count;                         // blocks a plane
  std::uint8_t* sum;                         // null: then leaf 0 is not used
  const Block* sum_offset;                   // null, or `count` blocks
  const std::uint8_t* correction;            // null, or 16 * `count` octets
  std::array<std::uint64_t, 4> plane_masks;  // all ones where the correction goes in
  Block* planes;                             // 4 planes, one every `stride` blocks
  std::size_t stride;                        // blocks
};
void ExpandLeaves(const LeafPlanes& leaves);

// Columns of `count` blocks each, one every `stride` blocks, to 128 * count rows. Gives back how
// many blocks of each column were done: a multiple of 4; the rest is left to the caller.
std::size_t Transpose(const Block* columns, std::size_t stride, std::size_t count, Block* rows);

// The 256-bit unreduced sum of column[i] * coefficients[i] for i < count.
std::array<std::uint64_t, 4> MultiplyAccumulate(const Block* column, const Block* coefficients,
                                                std::size_t count);

}  // namespace comity::ot::avx512
