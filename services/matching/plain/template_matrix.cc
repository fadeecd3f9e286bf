// SPDX-License-Identifier: Apache-2.0
#include "services/matching/plain/template_matrix.h"

#include <algorithm>

#include "crypto/base/check.h"

namespace comity::matching {
namespace {

constexpr std::uint8_t kZero = 128;

}  // namespace

TemplateMatrix::TemplateMatrix(std::size_t rows, std::size_t columns)
    : rows_(rows), columns_(columns) {
  COMITY_CHECK(columns % kChunkColumns == 0);
  lines_ = sealed::SecretArray<Line>(groups() * chunks());
  for (Line& line : lines_.ExposeMutable()) line.octets.fill(kZero);
}

std::size_t TemplateMatrix::LineIndex(std::size_t row, std::size_t chunk) const {
  return row / kGroupRows * chunks() + chunk;
}

const std::uint8_t* TemplateMatrix::group(std::size_t index) const {
  COMITY_CHECK(index < groups());
  return lines_.Expose()[index * chunks()].octets.data();
}

void TemplateMatrix::SetRow(std::size_t row, std::span<const std::int8_t> elements) {
  COMITY_CHECK(row < rows_ && elements.size() == columns_);
  const std::span<Line> lines = lines_.ExposeMutable();
  for (std::size_t column = 0; column < columns_; ++column) {
    const std::size_t at = row % kGroupRows * kChunkColumns + column % kChunkColumns;
    lines[LineIndex(row, column / kChunkColumns)].octets.data()[at] =
        static_cast<std::uint8_t>(kZero + elements[column]);
  }
}

void TemplateMatrix::CopyRow(std::size_t row, const TemplateMatrix& from, std::size_t from_row) {
  COMITY_CHECK(row < rows_ && from_row < from.rows_ && from.columns_ == columns_);
  const std::span<Line> lines = lines_.ExposeMutable();
  for (std::size_t chunk = 0; chunk < chunks(); ++chunk) {
    const auto& source = from.lines_.Expose()[LineIndex(from_row, chunk)].octets;
    std::copy_n(source.data() + from_row % kGroupRows * kChunkColumns, kChunkColumns,
                lines[LineIndex(row, chunk)].octets.data() + row % kGroupRows * kChunkColumns);
  }
}

}  // namespace comity::matching
