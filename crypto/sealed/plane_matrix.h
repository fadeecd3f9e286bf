// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "crypto/base/bytes.h"
#include "crypto/sealed/ring.h"

namespace comity::sealed {

// Up to n rows of d numbers mod 2^24, laid out for the scan: three byte planes, groups of 16 rows
// interleaved by 4 columns. The octet `plane` (0 = least significant) of row r, column j stands at
//
//   group r/16: d/4 chunks | chunk j/4: planes 0, 1, 2 | plane: rows r%16 | row: columns j%4
//
// so that 64 octets times the 4 probe elements of a chunk, repeated, are 16 partial sums. Rows that
// fill up the last group are zero.
//
// Threads: thread-compatible.
class PlaneMatrix {
 public:
  static constexpr std::size_t kGroupRows = 16;
  static constexpr std::size_t kChunkColumns = 4;
  static constexpr std::size_t kPlanes = 3;
  static constexpr std::size_t kLineBytes = kGroupRows * kChunkColumns;

  // In: rows  1..n;  columns  a template dimension
  PlaneMatrix(std::size_t rows, std::size_t columns);

  std::size_t rows() const { return rows_; }
  std::size_t columns() const { return columns_; }
  std::size_t groups() const { return (rows_ + kGroupRows - 1) / kGroupRows; }
  // chunks() * kPlanes * kLineBytes octets, at a multiple of 64.
  const std::uint8_t* group(std::size_t index) const;
  std::size_t chunks() const { return columns_ / kChunkColumns; }

  // Sets columns 4 chunk .. 4 chunk + 3 from the first rows() coefficients of four elements.
  // Time does not depend on the values.
  void SetChunk(std::size_t chunk, std::span<const Element, kChunkColumns> values);
  // A row as 3 octets a column, little-endian, column 0 first.
  void SetRow(std::size_t row, ByteView encoded);
  void EncodeRow(std::size_t row, std::span<std::uint8_t> out) const;
  std::uint32_t At(std::size_t row, std::size_t column) const;

 private:
  struct alignas(kLineBytes) Line {
    std::array<std::uint8_t, kLineBytes> octets;
  };
  std::size_t LineIndex(std::size_t row, std::size_t chunk) const;

  std::size_t rows_;
  std::size_t columns_;
  std::vector<Line> lines_;
};

}  // namespace comity::sealed
