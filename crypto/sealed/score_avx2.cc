// SPDX-License-Identifier: Apache-2.0
// Compiled with -mavx2 (CMakeLists.txt).
#include "crypto/sealed/score_kernels.h"

#if defined(__x86_64__)
#include <immintrin.h>

namespace comity::sealed {
namespace {

constexpr std::size_t kRows = 16;
constexpr std::size_t kColumns = 4;
constexpr std::size_t kPlanes = 3;
constexpr std::size_t kLineBytes = kRows * kColumns;

// The elements of a chunk as 16-bit numbers, repeated: columns 0 and 2, and columns 1 and 3.
struct ChunkProbe {
  __m256i even;
  __m256i odd;
};

inline ChunkProbe LoadProbe(const std::int8_t* probe) {
  std::int32_t four;
  __builtin_memcpy(&four, probe, sizeof(four));
  const __m256i repeated = _mm256_set1_epi32(four);
  return {_mm256_srai_epi16(_mm256_slli_epi16(repeated, 8), 8), _mm256_srai_epi16(repeated, 8)};
}

// sum + the products of 8 rows. vpmaddubsw would saturate (2 * 255 * 127 > 32767), so the octets
// are widened to 16 bits and multiplied with vpmaddwd, which is exact.
inline __m256i AddProducts(__m256i sum, const std::uint8_t* octets, const ChunkProbe& probe) {
  const __m256i b = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(octets));
  const __m256i even = _mm256_and_si256(b, _mm256_set1_epi16(0xff));
  const __m256i odd = _mm256_srli_epi16(b, 8);
  const __m256i products =
      _mm256_add_epi32(_mm256_madd_epi16(even, probe.even), _mm256_madd_epi16(odd, probe.odd));
  return _mm256_add_epi32(sum, products);
}

inline void StoreSums(const __m256i (&planes)[kPlanes], std::uint32_t* sums) {
  const __m256i high =
      _mm256_add_epi32(_mm256_slli_epi32(planes[1], 8), _mm256_slli_epi32(planes[2], 16));
  const __m256i sum =
      _mm256_and_si256(_mm256_add_epi32(planes[0], high), _mm256_set1_epi32((1 << 24) - 1));
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(sums), sum);
}

void ScoreOne(const std::uint8_t* line, const std::int8_t* probe, std::size_t chunks,
              std::uint32_t* sums) {
  __m256i low[kPlanes] = {_mm256_setzero_si256(), _mm256_setzero_si256(), _mm256_setzero_si256()};
  __m256i high[kPlanes] = {_mm256_setzero_si256(), _mm256_setzero_si256(), _mm256_setzero_si256()};
  for (std::size_t chunk = 0; chunk < chunks; ++chunk, probe += kColumns) {
    const ChunkProbe elements = LoadProbe(probe);
    for (std::size_t plane = 0; plane < kPlanes; ++plane, line += kLineBytes) {
      low[plane] = AddProducts(low[plane], line, elements);
      high[plane] = AddProducts(high[plane], line + kLineBytes / 2, elements);
    }
  }
  StoreSums(low, sums);
  StoreSums(high, sums + kRows / 2);
}

}  // namespace

void ScoreGroupsAvx2(const GroupTask& task) {
  // Probe after probe over one group, which stays in the first cache.
  for (std::size_t group = 0; group < task.group_count; ++group) {
    for (std::size_t p = 0; p < task.probe_count; ++p) {
      ScoreOne(task.groups + group * task.chunks * kPlanes * kLineBytes,
               task.probes + p * kColumns * task.chunks, task.chunks,
               task.sums + (p * task.group_count + group) * kRows);
    }
  }
}

}  // namespace comity::sealed
#endif
