// SPDX-License-Identifier: Apache-2.0
#include "services/matching/plain/template_kernels.h"

namespace comity::matching {
namespace {

constexpr std::size_t kRows = 16;
constexpr std::size_t kColumns = 4;
constexpr std::size_t kLineBytes = kRows * kColumns;

// At most 1024 * 255 * 127 < 2^31 in size on the way.
void ScanOne(const std::uint8_t* line, const std::int8_t* probe, std::size_t chunks,
             std::int32_t start, std::int32_t* out) {
  std::int32_t sums[kRows];
  for (std::int32_t& sum : sums) sum = start;
  for (std::size_t chunk = 0; chunk < chunks; ++chunk, probe += kColumns, line += kLineBytes) {
    for (std::size_t row = 0; row < kRows; ++row) {
      const std::uint8_t* x = line + row * kColumns;
      sums[row] += x[0] * probe[0] + x[1] * probe[1] + x[2] * probe[2] + x[3] * probe[3];
    }
  }
  for (std::size_t row = 0; row < kRows; ++row) out[row] = sums[row];
}

}  // namespace

void ScanTemplatesPortable(const TemplateTask& task) {
  std::int32_t* sums = task.sums;
  for (std::size_t p = 0; p < task.probe_count; ++p) {
    for (std::size_t group = 0; group < task.group_count; ++group, sums += kRows) {
      ScanOne(task.groups + group * task.chunks * kLineBytes,
              task.probes + p * kColumns * task.chunks, task.chunks, task.starts[p], sums);
    }
  }
}

}  // namespace comity::matching
