// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <span>

#include "crypto/ot/block.h"
#include "crypto/ot/kernel.h"

namespace comity::ot {

// 128 columns of bits that lie one after the other: column c begins at block c * stride.
struct ColumnSpans {
  const Block* columns;
  std::size_t stride = 0;  // blocks from one column to the next, at least `count`
  std::size_t count = 0;   // blocks a column
};

// rows[t] bit c = column c bit t.
//
// In:      rows  128 * count blocks
// Secret:  all bits
// Leaks:   time depends on the count only
// Threads: pure function
void TransposeColumns(const ColumnSpans& in, Kernel kernel, std::span<Block> rows);

}  // namespace comity::ot
