// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "crypto/sealed/secret_array.h"

namespace comity::matching {

// Canonical templates (sealed::Quantiser) for the scan in clear: x + 128 of row r, column j stands
// at
//
//   group r/16 | chunk j/4 | row r%16 | column j%4
//
// so that 64 octets times the 4 probe elements of a chunk, repeated, are 16 partial sums. Rows that
// fill up the last group, and those that are not set, are zero. Wiped as secrets are.
//
// Threads: thread-compatible; different rows may be set by different threads at the same time.
class TemplateMatrix {
 public:
  static constexpr std::size_t kGroupRows = 16;
  static constexpr std::size_t kChunkColumns = 4;
  static constexpr std::size_t kLineBytes = kGroupRows * kChunkColumns;

  TemplateMatrix() = default;  // no rows
  // In: columns  a multiple of 4
  TemplateMatrix(std::size_t rows, std::size_t columns);

  std::size_t rows() const { return rows_; }
  std::size_t columns() const { return columns_; }
  std::size_t chunks() const { return columns_ / kChunkColumns; }
  std::size_t groups() const { return (rows_ + kGroupRows - 1) / kGroupRows; }
  // chunks() * kLineBytes octets, at a multiple of 64. Secret: biometric.
  const std::uint8_t* group(std::size_t index) const;

  // In: elements  columns() of them, each in [-127, 127]
  void SetRow(std::size_t row, std::span<const std::int8_t> elements);
  // In: from  of as many columns
  void CopyRow(std::size_t row, const TemplateMatrix& from, std::size_t from_row);
  // Forgets the rows behind the first `rows`, none of which was set; their memory stays.
  void Shorten(std::size_t rows);

 private:
  struct alignas(kLineBytes) Line {
    std::array<std::uint8_t, kLineBytes> octets;
  };
  // Leaves what is new as the system gives it: every line is filled on all cores afterwards.
  struct Unfilled : std::allocator<Line> {
    template <typename Other>
    struct rebind {  // NOLINT(readability-identifier-naming): the name is the standard's
      using other = Unfilled;
    };
    void construct(Line* /*line*/) noexcept {}  // NOLINT(readability-identifier-naming): as above
  };
  std::size_t LineIndex(std::size_t row, std::size_t chunk) const;

  std::size_t rows_ = 0;
  std::size_t columns_ = 0;
  sealed::SecretArray<Line, Unfilled> lines_;
};

}  // namespace comity::matching
