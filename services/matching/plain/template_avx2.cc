// SPDX-License-Identifier: Apache-2.0
// Compiled with -mavx2 (CMakeLists.txt).
#include "services/matching/plain/template_kernels.h"

#if defined(__x86_64__)
#include <immintrin.h>

namespace comity::matching {
namespace {

constexpr std::size_t kRows = 16;
constexpr std::size_t kColumns = 4;
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
  const __m256i x = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(octets));
  const __m256i even = _mm256_and_si256(x, _mm256_set1_epi16(0xff));
  const __m256i odd = _mm256_srli_epi16(x, 8);
  return _mm256_add_epi32(sum, _mm256_add_epi32(_mm256_madd_epi16(even, probe.even),
                                                _mm256_madd_epi16(odd, probe.odd)));
}

void ScanOne(const std::uint8_t* line, const std::int8_t* probe, std::size_t chunks,
             std::int32_t start, std::int32_t* sums) {
  __m256i low = _mm256_set1_epi32(start);
  __m256i high = low;
  for (std::size_t chunk = 0; chunk < chunks; ++chunk, probe += kColumns, line += kLineBytes) {
    const ChunkProbe elements = LoadProbe(probe);
    low = AddProducts(low, line, elements);
    high = AddProducts(high, line + kLineBytes / 2, elements);
  }
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(sums), low);
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(sums + kRows / 2), high);
}

}  // namespace

void ScanTemplatesAvx2(const TemplateTask& task) {
  // Probe after probe over one group, which stays in the first cache.
  for (std::size_t group = 0; group < task.group_count; ++group) {
    for (std::size_t p = 0; p < task.probe_count; ++p) {
      ScanOne(task.groups + group * task.chunks * kLineBytes,
              task.probes + p * kColumns * task.chunks, task.chunks, task.starts[p],
              task.sums + (p * task.group_count + group) * kRows);
    }
  }
}

}  // namespace comity::matching
#endif
