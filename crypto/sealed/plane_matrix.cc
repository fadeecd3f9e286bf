// SPDX-License-Identifier: Apache-2.0
#include "crypto/sealed/plane_matrix.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "crypto/base/check.h"

namespace comity::sealed {

static_assert(std::endian::native == std::endian::little, "SetChunk stores words as octets");

PlaneMatrix::PlaneMatrix(std::size_t rows, std::size_t columns) : rows_(rows), columns_(columns) {
  COMITY_CHECK(rows >= 1 && rows <= kRingDegree && IsDimension(columns));
  lines_.resize(groups() * chunks() * kPlanes);
}

const std::uint8_t* PlaneMatrix::group(std::size_t index) const {
  return lines_[index * chunks() * kPlanes].octets.data();
}

std::size_t PlaneMatrix::LineIndex(std::size_t row, std::size_t chunk) const {
  return (row / kGroupRows * chunks() + chunk) * kPlanes;
}

void PlaneMatrix::SetChunk(std::size_t chunk, std::span<const Element, kChunkColumns> values) {
  COMITY_CHECK(chunk < chunks());
  const std::uint32_t* const columns[] = {values[0].data(), values[1].data(), values[2].data(),
                                          values[3].data()};
  for (std::size_t first = 0; first < rows_; first += kGroupRows) {
    // Four columns of a row are one word of each plane, 16 rows a line.
    std::uint32_t words[kPlanes][kGroupRows] = {};
    const std::size_t count = std::min(kGroupRows, rows_ - first);
    for (std::size_t row = 0; row < count; ++row) {
      const std::uint32_t a = columns[0][first + row];
      const std::uint32_t b = columns[1][first + row];
      const std::uint32_t c = columns[2][first + row];
      const std::uint32_t d = columns[3][first + row];
      words[0][row] = (a & 0xff) | (b & 0xff) << 8 | (c & 0xff) << 16 | d << 24;
      words[1][row] = (a >> 8 & 0xff) | (b & 0xff00) | (c & 0xff00) << 8 | (d & 0xff00) << 16;
      words[2][row] = (a >> 16 & 0xff) | (b >> 8 & 0xff00) | (c & 0xff0000) | (d & 0xff0000) << 8;
    }
    Line* const line = &lines_[LineIndex(first, chunk)];
    for (std::size_t plane = 0; plane < kPlanes; ++plane) {
      std::memcpy(line[plane].octets.data(), words[plane], kLineBytes);
    }
  }
}

void PlaneMatrix::SetRow(std::size_t row, ByteView encoded) {
  COMITY_CHECK(row < rows_ && encoded.size() == columns_ * kCoefficientBytes);
  const std::uint8_t* from = encoded.data();
  for (std::size_t column = 0; column < columns_; ++column) {
    Line* const line = &lines_[LineIndex(row, column / kChunkColumns)];
    const std::size_t at = row % kGroupRows * kChunkColumns + column % kChunkColumns;
    for (std::size_t plane = 0; plane < kPlanes; ++plane) {
      line[plane].octets.data()[at] = *from++;
    }
  }
}

void PlaneMatrix::EncodeRow(std::size_t row, std::span<std::uint8_t> out) const {
  COMITY_CHECK(row < rows_ && out.size() == columns_ * kCoefficientBytes);
  std::uint8_t* to = out.data();
  for (std::size_t column = 0; column < columns_; ++column) {
    const Line* const line = &lines_[LineIndex(row, column / kChunkColumns)];
    const std::size_t at = row % kGroupRows * kChunkColumns + column % kChunkColumns;
    for (std::size_t plane = 0; plane < kPlanes; ++plane) {
      *to++ = line[plane].octets.data()[at];
    }
  }
}

std::uint32_t PlaneMatrix::At(std::size_t row, std::size_t column) const {
  COMITY_CHECK(row < rows_ && column < columns_);
  const Line* const line = &lines_[LineIndex(row, column / kChunkColumns)];
  const std::size_t at = row % kGroupRows * kChunkColumns + column % kChunkColumns;
  return std::uint32_t{line[0].octets[at]} | std::uint32_t{line[1].octets[at]} << 8 |
         std::uint32_t{line[2].octets[at]} << 16;
}

}  // namespace comity::sealed
