// SPDX-License-Identifier: Apache-2.0
#include "crypto/sealed/score.h"

#include <algorithm>
#include <array>

#include "crypto/base/check.h"
#include "crypto/base/secret.h"
#include "crypto/sealed/score_kernels.h"

namespace comity::sealed {
namespace {

constexpr std::size_t kRows = PlaneMatrix::kGroupRows;

GroupKernel KernelFunction(Kernel kernel) {
  switch (kernel) {
    case Kernel::kPortable:
      return ScoreGroupsPortable;
#if defined(__x86_64__)
    case Kernel::kAvx2:
      return ScoreGroupsAvx2;
    case Kernel::kAvx512Vnni:
      return ScoreGroupsAvx512Vnni;
#else
    case Kernel::kAvx2:
    case Kernel::kAvx512Vnni:
      break;
#endif
  }
  COMITY_CHECK(false);
  return nullptr;
}

}  // namespace

std::vector<Kernel> SupportedKernels() {
  std::vector<Kernel> kernels = {Kernel::kPortable};
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx2")) kernels.push_back(Kernel::kAvx2);
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
      __builtin_cpu_supports("avx512vnni")) {
    kernels.push_back(Kernel::kAvx512Vnni);
  }
#endif
  return kernels;
}

Kernel FastestKernel() {
  return SupportedKernels().back();
}

void Score(const PlaneMatrix& matrix, std::span<const std::int8_t> probes, Kernel kernel,
           std::span<Element> out) {
  const std::size_t columns = matrix.columns();
  COMITY_CHECK(!out.empty() && out.size() <= kMaxProbesInBatch);
  COMITY_CHECK(probes.size() == out.size() * columns);
  const GroupKernel score_groups = KernelFunction(kernel);
  for (Element& element : out) element.fill(0);
  std::array<std::uint32_t, kTaskProbes * kTaskGroups * kRows> sums;
  for (std::size_t group = 0; group < matrix.groups(); group += kTaskGroups) {
    const std::size_t group_count = std::min(kTaskGroups, matrix.groups() - group);
    const std::size_t first_row = group * kRows;
    const std::size_t rows = std::min(group_count * kRows, matrix.rows() - first_row);
    // The groups stay in a cache while all probes of the batch go over them.
    for (std::size_t first = 0; first < out.size(); first += kTaskProbes) {
      const std::size_t count = std::min(kTaskProbes, out.size() - first);
      score_groups({.groups = matrix.group(group),
                    .group_count = group_count,
                    .chunks = matrix.chunks(),
                    .probes = probes.data() + first * columns,
                    .probe_count = count,
                    .sums = sums.data()});
      for (std::size_t probe = 0; probe < count; ++probe) {
        std::copy_n(sums.data() + probe * group_count * kRows, rows,
                    out[first + probe].data() + first_row);
      }
    }
  }
  Wipe({reinterpret_cast<std::uint8_t*>(sums.data()), sizeof(sums)});
}

}  // namespace comity::sealed
