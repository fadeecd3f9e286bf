// SPDX-License-Identifier: Apache-2.0
#include "services/matching/plain/template_scan.h"

#include <algorithm>
#include <array>
#include <numeric>

#include "crypto/base/check.h"
#include "services/matching/plain/template_kernels.h"

namespace comity::matching {
namespace {

constexpr std::size_t kRows = TemplateMatrix::kGroupRows;
static_assert(kScanRows == kTaskGroups * kRows);

TemplateKernel KernelFunction(sealed::Kernel kernel) {
  switch (kernel) {
    case sealed::Kernel::kPortable:
      return ScanTemplatesPortable;
#if defined(__x86_64__)
    case sealed::Kernel::kAvx2:
      return ScanTemplatesAvx2;
    case sealed::Kernel::kAvx512Vnni:
      return ScanTemplatesAvx512Vnni;
#else
    case sealed::Kernel::kAvx2:
    case sealed::Kernel::kAvx512Vnni:
      break;
#endif
  }
  COMITY_CHECK(false);
  return nullptr;
}

}  // namespace

TemplateProbes::TemplateProbes(std::span<const std::int8_t> elements, std::size_t columns)
    : columns_(columns), elements_(elements.size()) {
  COMITY_CHECK(columns > 0 && elements.size() % columns == 0);
  std::copy(elements.begin(), elements.end(), elements_.ExposeMutable().begin());
  for (std::size_t at = 0; at < elements.size(); at += columns) {
    const auto probe = elements.subspan(at, columns);
    starts_.push_back(-128 * std::accumulate(probe.begin(), probe.end(), 0));
  }
}

const std::int8_t* TemplateProbes::elements(std::size_t probe) const {
  return elements_.Expose().data() + probe * columns_;
}

void ScanTemplates(const TemplateMatrix& matrix, std::size_t first_row,
                   const TemplateProbes& probes, sealed::Kernel kernel,
                   std::span<std::int32_t> sums) {
  COMITY_CHECK(first_row % kRows == 0 && first_row < matrix.rows());
  COMITY_CHECK(probes.columns() == matrix.columns());
  COMITY_CHECK(sums.size() == probes.size() * kScanRows);
  const TemplateKernel scan = KernelFunction(kernel);
  const std::size_t first_group = first_row / kRows;
  const std::size_t groups = std::min(kTaskGroups, matrix.groups() - first_group);
  std::array<std::int32_t, kTaskProbes * kScanRows> found;
  // The groups stay in a cache while all probes go over them.
  for (std::size_t first = 0; first < probes.size(); first += kTaskProbes) {
    const std::size_t count = std::min(kTaskProbes, probes.size() - first);
    scan({.groups = matrix.group(first_group),
          .group_count = groups,
          .chunks = matrix.chunks(),
          .probes = probes.elements(first),
          .starts = probes.starts(first),
          .probe_count = count,
          .sums = found.data()});
    for (std::size_t p = 0; p < count; ++p) {
      std::copy_n(found.data() + p * groups * kRows, groups * kRows,
                  sums.data() + (first + p) * kScanRows);
    }
  }
}

}  // namespace comity::matching
