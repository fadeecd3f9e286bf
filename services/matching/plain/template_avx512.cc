// SPDX-License-Identifier: Apache-2.0
// Compiled with -mavx512f -mavx512bw -mavx512vnni (CMakeLists.txt).
#include "services/matching/plain/template_kernels.h"

#if defined(__x86_64__)
#include <immintrin.h>

namespace comity::matching {
namespace {

constexpr std::size_t kRows = 16;
constexpr std::size_t kColumns = 4;
constexpr std::size_t kLineBytes = kRows * kColumns;

inline __m512i LoadProbe(const std::int8_t* probe) {
  std::int32_t four;
  __builtin_memcpy(&four, probe, sizeof(four));
  return _mm512_set1_epi32(four);
}

// Asks for what is read 32 chunks later: the processor's own prefetching stops at each page. May
// point beyond the matrix, which a prefetch forgives; as an integer, since a pointer must not.
inline void Prefetch(const std::uint8_t* line) {
  const std::uintptr_t ahead = reinterpret_cast<std::uintptr_t>(line) + 32 * kLineBytes;
  _mm_prefetch(reinterpret_cast<const char*>(ahead), _MM_HINT_T0);
}

// `kProbes` probes over `kGroups` groups at once, with all sums in registers (kProbes kGroups of
// 32), so that each line is loaded once. vpdpbusd wraps; its saturating form vpdpbusds would be
// wrong. A lane holds at most 1024 * 255 * 127 < 2^31.
template <std::size_t kProbes, std::size_t kGroups>
void ScanTile(const TemplateTask& task, std::size_t first_probe, std::size_t first_group) {
  __m512i sums[kProbes][kGroups];
#pragma GCC unroll 8
  for (std::size_t p = 0; p < kProbes; ++p) {
#pragma GCC unroll 8
    for (std::size_t g = 0; g < kGroups; ++g) {
      sums[p][g] = _mm512_set1_epi32(task.starts[first_probe + p]);
    }
  }
  const std::size_t stride = kColumns * task.chunks;
  const std::size_t group_bytes = task.chunks * kLineBytes;
  const std::uint8_t* const groups = task.groups + first_group * group_bytes;
  const std::int8_t* const probes = task.probes + first_probe * stride;
  for (std::size_t chunk = 0; chunk < task.chunks; ++chunk) {
    __m512i lines[kGroups];
#pragma GCC unroll 8
    for (std::size_t g = 0; g < kGroups; ++g) {
      const std::uint8_t* const line = groups + g * group_bytes + chunk * kLineBytes;
      lines[g] = _mm512_load_si512(line);
      Prefetch(line);
    }
#pragma GCC unroll 8
    for (std::size_t p = 0; p < kProbes; ++p) {
      const __m512i probe = LoadProbe(probes + p * stride + chunk * kColumns);
#pragma GCC unroll 8
      for (std::size_t g = 0; g < kGroups; ++g) {
        sums[p][g] = _mm512_dpbusd_epi32(sums[p][g], lines[g], probe);
      }
    }
  }
#pragma GCC unroll 8
  for (std::size_t p = 0; p < kProbes; ++p) {
#pragma GCC unroll 8
    for (std::size_t g = 0; g < kGroups; ++g) {
      const std::size_t at = (first_probe + p) * task.group_count + first_group + g;
      _mm512_storeu_si512(task.sums + at * kRows, sums[p][g]);
    }
  }
}

// All groups of the task, `kGroups` at a time.
template <std::size_t kProbes, std::size_t kGroups>
void ScanSome(const TemplateTask& task, std::size_t first_probe) {
  std::size_t group = 0;
  for (; group + kGroups <= task.group_count; group += kGroups) {
    ScanTile<kProbes, kGroups>(task, first_probe, group);
  }
  for (; group < task.group_count; ++group) ScanTile<kProbes, 1>(task, first_probe, group);
}

}  // namespace

void ScanTemplatesAvx512Vnni(const TemplateTask& task) {
  std::size_t done = 0;
  while (done < task.probe_count) {
    const std::size_t left = task.probe_count - done;
    if (left >= 8) {
      ScanSome<8, 2>(task, done);
      done += 8;
    } else if (left >= 4) {
      ScanSome<4, 4>(task, done);
      done += 4;
    } else if (left >= 2) {
      ScanSome<2, 8>(task, done);
      done += 2;
    } else {
      ScanSome<1, 8>(task, done);
      done += 1;
    }
  }
}

}  // namespace comity::matching
#endif
