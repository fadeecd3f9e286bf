// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

// The kernels of template_scan.h. Their sources are compiled for processors that the rest of the
// program need not have, so they use nothing of the standard library: an inline function compiled
// there could be the copy that the linker keeps for all.
namespace comity::matching {

// Some groups of a TemplateMatrix against some probes.
struct TemplateTask {
  const std::uint8_t* groups;  // group_count * chunks * 64 octets, at a multiple of 64
  std::size_t group_count;     // 1..kTaskGroups
  std::size_t chunks;          // of 4 columns
  const std::int8_t* probes;   // probe p starts at probes + 4 chunks p
  const std::int32_t* starts;  // for each probe -128 times the sum of its elements
  std::size_t probe_count;     // 1..kTaskProbes
  std::int32_t* sums;          // sums[16 (group_count p + group) + row], exact
};
// 64 KB at d = 512: few enough that a task stays in the second cache, and several streams at once,
// because one alone does not keep the memory busy.
inline constexpr std::size_t kTaskGroups = 8;
inline constexpr std::size_t kTaskProbes = 8;

using TemplateKernel = void (*)(const TemplateTask& task);

void ScanTemplatesPortable(const TemplateTask& task);
void ScanTemplatesAvx2(const TemplateTask& task);
void ScanTemplatesAvx512Vnni(const TemplateTask& task);

}  // namespace comity::matching
