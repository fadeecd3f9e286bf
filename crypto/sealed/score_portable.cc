// SPDX-License-Identifier: Apache-2.0
#include "crypto/sealed/score_kernels.h"

namespace comity::sealed {
namespace {

constexpr std::size_t kRows = 16;
constexpr std::size_t kColumns = 4;
constexpr std::size_t kLineBytes = kRows * kColumns;
constexpr std::uint32_t kMask = (1U << 24) - 1;

void ScoreOne(const std::uint8_t* line, const std::int8_t* probe, std::size_t chunks,
              std::uint32_t* out) {
  std::int32_t planes[3][kRows] = {};  // at most 1024 * 255 * 127 < 2^31 in size
  for (std::size_t chunk = 0; chunk < chunks; ++chunk, probe += kColumns) {
    for (std::int32_t* sums : planes) {
      for (std::size_t row = 0; row < kRows; ++row) {
        const std::uint8_t* b = line + row * kColumns;
        sums[row] += b[0] * probe[0] + b[1] * probe[1] + b[2] * probe[2] + b[3] * probe[3];
      }
      line += kLineBytes;
    }
  }
  for (std::size_t row = 0; row < kRows; ++row) {
    const std::uint32_t sum = static_cast<std::uint32_t>(planes[0][row]) +
                              (static_cast<std::uint32_t>(planes[1][row]) << 8) +
                              (static_cast<std::uint32_t>(planes[2][row]) << 16);
    out[row] = sum & kMask;
  }
}

}  // namespace

void ScoreGroupsPortable(const GroupTask& task) {
  std::uint32_t* sums = task.sums;
  for (std::size_t p = 0; p < task.probe_count; ++p) {
    for (std::size_t group = 0; group < task.group_count; ++group, sums += kRows) {
      ScoreOne(task.groups + group * task.chunks * 3 * kLineBytes,
               task.probes + p * kColumns * task.chunks, task.chunks, sums);
    }
  }
}

}  // namespace comity::sealed
