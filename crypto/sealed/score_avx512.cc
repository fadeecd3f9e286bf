// SPDX-License-Identifier: Apache-2.0
// Compiled with -mavx512f -mavx512bw -mavx512vnni (CMakeLists.txt).
#include "crypto/sealed/score_kernels.h"

#if defined(__x86_64__)
#include <immintrin.h>

namespace comity::sealed {
namespace {

constexpr std::size_t kRows = 16;
constexpr std::size_t kColumns = 4;
constexpr std::size_t kPlanes = 3;
constexpr std::size_t kLineBytes = kRows * kColumns;

inline __m512i LoadProbe(const std::int8_t* probe) {
  std::int32_t four;
  __builtin_memcpy(&four, probe, sizeof(four));
  return _mm512_set1_epi32(four);
}

// The masked shift with all lanes on: g++ 12 warns of its own header at the plain one (GCC bug
// 105593).
inline __m512i ShiftLeft(__m512i lanes, unsigned bits) {
  return _mm512_maskz_slli_epi32(0xffff, lanes, bits);
}

inline void StoreSums(const __m512i (&planes)[kPlanes], std::uint32_t* sums) {
  const __m512i high = _mm512_add_epi32(ShiftLeft(planes[1], 8), ShiftLeft(planes[2], 16));
  const __m512i sum =
      _mm512_and_si512(_mm512_add_epi32(planes[0], high), _mm512_set1_epi32((1 << 24) - 1));
  _mm512_storeu_si512(sums, sum);
}

// Asks for what is read 16 chunks later: the processor's own prefetching stops at each page. May
// point beyond the matrix, which a prefetch forgives; as an integer, since a pointer must not.
inline void Prefetch(const std::uint8_t* line) {
  const std::uintptr_t ahead = reinterpret_cast<std::uintptr_t>(line) + 16 * kPlanes * kLineBytes;
  for (std::size_t plane = 0; plane < kPlanes; ++plane) {
    _mm_prefetch(reinterpret_cast<const char*>(ahead + plane * kLineBytes), _MM_HINT_T1);
  }
}

// `kProbes` probes over `kGroups` groups at once, with all sums in registers (3 kProbes kGroups of
// 32), so that each line is loaded once. vpdpbusd wraps; its saturating form vpdpbusds would be
// wrong. A lane holds at most 1024 * 255 * 127 < 2^31.
template <std::size_t kProbes, std::size_t kGroups>
void ScoreTile(const GroupTask& task, std::size_t first_probe, std::size_t first_group) {
  __m512i planes[kProbes][kGroups][kPlanes];
#pragma GCC unroll 8
  for (std::size_t p = 0; p < kProbes; ++p) {
#pragma GCC unroll 4
    for (std::size_t g = 0; g < kGroups; ++g) {
      for (std::size_t plane = 0; plane < kPlanes; ++plane) {
        planes[p][g][plane] = _mm512_setzero_si512();
      }
    }
  }
  const std::size_t stride = kColumns * task.chunks;
  const std::size_t group_bytes = task.chunks * kPlanes * kLineBytes;
  const std::uint8_t* const groups = task.groups + first_group * group_bytes;
  const std::int8_t* const probes = task.probes + first_probe * stride;
  for (std::size_t chunk = 0; chunk < task.chunks; ++chunk) {
#pragma GCC unroll 4
    for (std::size_t g = 0; g < kGroups; ++g) {
      const std::uint8_t* const line = groups + g * group_bytes + chunk * kPlanes * kLineBytes;
      const __m512i low = _mm512_load_si512(line);
      const __m512i middle = _mm512_load_si512(line + kLineBytes);
      const __m512i high = _mm512_load_si512(line + 2 * kLineBytes);
      Prefetch(line);
#pragma GCC unroll 8
      for (std::size_t p = 0; p < kProbes; ++p) {
        const __m512i probe = LoadProbe(probes + p * stride + chunk * kColumns);
        planes[p][g][0] = _mm512_dpbusd_epi32(planes[p][g][0], low, probe);
        planes[p][g][1] = _mm512_dpbusd_epi32(planes[p][g][1], middle, probe);
        planes[p][g][2] = _mm512_dpbusd_epi32(planes[p][g][2], high, probe);
      }
    }
  }
#pragma GCC unroll 8
  for (std::size_t p = 0; p < kProbes; ++p) {
#pragma GCC unroll 4
    for (std::size_t g = 0; g < kGroups; ++g) {
      const std::size_t at = (first_probe + p) * task.group_count + first_group + g;
      StoreSums(planes[p][g], task.sums + at * kRows);
    }
  }
}

// All groups of the task, `kGroups` at a time.
template <std::size_t kProbes, std::size_t kGroups>
void ScoreSome(const GroupTask& task, std::size_t first_probe) {
  std::size_t group = 0;
  for (; group + kGroups <= task.group_count; group += kGroups) {
    ScoreTile<kProbes, kGroups>(task, first_probe, group);
  }
  for (; group < task.group_count; ++group) ScoreTile<kProbes, 1>(task, first_probe, group);
}

}  // namespace

void ScoreGroupsAvx512Vnni(const GroupTask& task) {
  std::size_t done = 0;
  while (done < task.probe_count) {
    const std::size_t left = task.probe_count - done;
    if (left >= 8) {
      ScoreSome<8, 1>(task, done);
      done += 8;
    } else if (left >= 4) {
      ScoreSome<4, 2>(task, done);
      done += 4;
    } else if (left >= 2) {
      ScoreSome<2, 4>(task, done);
      done += 2;
    } else {
      ScoreSome<1, 4>(task, done);
      done += 1;
    }
  }
}

}  // namespace comity::sealed
#endif
