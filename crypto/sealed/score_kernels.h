// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

// The kernels of score.h. Their sources are compiled for processors that the rest of the program
// need not have, so they use nothing of the standard library: an inline function compiled there
// could be the copy that the linker keeps for all.
namespace comity::sealed {

// Some groups of a PlaneMatrix against some probes.
struct GroupTask {
  const std::uint8_t* groups;  // group_count * chunks * 192 octets, at a multiple of 64
  std::size_t group_count;     // 1..kTaskGroups
  std::size_t chunks;          // of 4 columns
  const std::int8_t* probes;   // probe p starts at probes + 4 chunks p
  std::size_t probe_count;     // 1..kTaskProbes
  std::uint32_t* sums;         // sums[16 (group_count p + group) + row], mod 2^24
};
// One group at d = 512 has 24 KB: few enough that a task stays in the second cache, and several
// streams at once, because one alone does not keep the memory busy.
inline constexpr std::size_t kTaskGroups = 4;
inline constexpr std::size_t kTaskProbes = 8;

using GroupKernel = void (*)(const GroupTask& task);

void ScoreGroupsPortable(const GroupTask& task);
void ScoreGroupsAvx2(const GroupTask& task);
void ScoreGroupsAvx512Vnni(const GroupTask& task);

}  // namespace comity::sealed
