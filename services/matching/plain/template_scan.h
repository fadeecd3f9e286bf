// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "crypto/sealed/score.h"
#include "services/matching/plain/template_matrix.h"

namespace comity::matching {

// Canonical templates one after the other, with what the kernels want to know of each.
//
// Threads: immutable.
class TemplateProbes {
 public:
  // In: elements  a whole number of templates of `columns` elements, each in [-127, 127]
  TemplateProbes(std::span<const std::int8_t> elements, std::size_t columns);

  std::size_t size() const { return starts_.size(); }
  std::size_t columns() const { return columns_; }
  const std::int8_t* elements(std::size_t probe) const;
  const std::int32_t* starts(std::size_t probe) const { return starts_.data() + probe; }

 private:
  std::size_t columns_;
  sealed::SecretArray<std::int8_t> elements_;
  std::vector<std::int32_t> starts_;
};

// Rows that one call of ScanTemplates compares at most.
inline constexpr std::size_t kScanRows = 128;

// For each probe q and each of the rows x from `first_row` on the exact sum of q_j x_j.
//
// In:      first_row  a multiple of 16, below rows()
//          kernel     one of sealed::SupportedKernels(); all give the same
//          sums       probes.size() x kScanRows: probe p's sum of row first_row + i at
//                     p * kScanRows + i; from the end of the matrix on, unspecified
// Threads: pure function
void ScanTemplates(const TemplateMatrix& matrix, std::size_t first_row,
                   const TemplateProbes& probes, sealed::Kernel kernel,
                   std::span<std::int32_t> sums);

}  // namespace comity::matching
