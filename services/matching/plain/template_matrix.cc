// SPDX-License-Identifier: Apache-2.0
#include "services/matching/plain/template_matrix.h"

#include <algorithm>
#include <future>
#include <thread>
#include <vector>

#include "crypto/base/check.h"

namespace comity::matching {
namespace {

constexpr std::uint8_t kZero = 128;
constexpr std::size_t kFilledAtOnce = std::size_t{64} << 20;  // octets that are worth a thread

// A large matrix is memory that is new to the process, and the system takes longer to give it than
// anybody takes to fill it.
template <typename Line>
void FillWithZero(std::span<Line> lines) {
  const std::size_t shares = std::clamp<std::size_t>(
      lines.size_bytes() / kFilledAtOnce, 1, std::max(std::thread::hardware_concurrency(), 1U));
  std::vector<std::future<void>> filling;
  for (std::size_t share = 0; share < shares; ++share) {
    const std::size_t begin = lines.size() * share / shares;
    const auto of_share = lines.subspan(begin, lines.size() * (share + 1) / shares - begin);
    filling.push_back(std::async(std::launch::async | std::launch::deferred, [of_share] {
      for (Line& line : of_share) line.octets.fill(kZero);
    }));
  }
  for (std::future<void>& share : filling) share.get();
}

}  // namespace

TemplateMatrix::TemplateMatrix(std::size_t rows, std::size_t columns)
    : rows_(rows), columns_(columns) {
  COMITY_CHECK(columns % kChunkColumns == 0);
  lines_ = sealed::SecretArray<Line, Unfilled>(groups() * chunks());
  FillWithZero(lines_.ExposeMutable());
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
  Line* const lines = lines_.ExposeMutable().data() + LineIndex(row, 0);
  const std::size_t at = row % kGroupRows * kChunkColumns;
  for (std::size_t chunk = 0; chunk < chunks(); ++chunk) {
    const std::int8_t* const from = elements.data() + chunk * kChunkColumns;
    std::uint8_t* const to = lines[chunk].octets.data() + at;
    for (std::size_t i = 0; i < kChunkColumns; ++i) {
      to[i] = static_cast<std::uint8_t>(kZero + from[i]);
    }
  }
}

void TemplateMatrix::Shorten(std::size_t rows) {
  COMITY_CHECK(rows <= rows_);
  rows_ = rows;
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
