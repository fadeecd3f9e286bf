// SPDX-License-Identifier: Apache-2.0
#include "crypto/ot/avx512.h"

#if defined(__x86_64__)

#if defined(__GNUC__) && !defined(__clang__)
// A false alarm about "undefined" registers in g++ 12's own header (GCC bug 105593).
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif

#include <immintrin.h>

#define COMITY_AVX512 \
  __attribute__((target("aes,avx512f,avx512bw,avx512vl,avx512vbmi,gfni,vaes,vpclmulqdq,pclmul")))
#define COMITY_AVX512_INLINE COMITY_AVX512 __attribute__((always_inline)) inline

namespace comity::ot::avx512 {
namespace {

constexpr std::size_t kLane = 4;  // blocks a 512-bit register

template <int kRoundConstant>
COMITY_AVX512_INLINE __m128i NextRoundKey(__m128i key) {
  const __m128i word = _mm_shuffle_epi32(_mm_aeskeygenassist_si128(key, kRoundConstant), 0xff);
  key = _mm_xor_si128(key, _mm_slli_si128(key, 4));
  key = _mm_xor_si128(key, _mm_slli_si128(key, 8));
  return _mm_xor_si128(key, word);
}

COMITY_AVX512_INLINE __m512i Broadcast(const Block& block) {
  return _mm512_broadcast_i32x4(_mm_load_si128(reinterpret_cast<const __m128i*>(&block)));
}

// Encrypts kWidth registers of four blocks each.
template <std::size_t kWidth>
COMITY_AVX512_INLINE void Encrypt(const Block* schedule, __m512i (&state)[kWidth]) {
  const __m512i whitening = Broadcast(schedule[0]);
  for (std::size_t i = 0; i < kWidth; ++i) state[i] = _mm512_xor_si512(state[i], whitening);
#pragma GCC unroll 9
  for (std::size_t round = 1; round < kRoundKeys - 1; ++round) {
    const __m512i key = Broadcast(schedule[round]);
#pragma GCC unroll 8
    for (std::size_t i = 0; i < kWidth; ++i) state[i] = _mm512_aesenc_epi128(state[i], key);
  }
  const __m512i last = Broadcast(schedule[kRoundKeys - 1]);
  for (std::size_t i = 0; i < kWidth; ++i) state[i] = _mm512_aesenclast_epi128(state[i], last);
}

// The counters first, first + 1, ... of 4 * kWidth blocks, as 128-bit big-endian integers.
template <std::size_t kWidth>
COMITY_AVX512_INLINE void LoadCounters(std::uint64_t first, __m512i (&state)[kWidth]) {
  const __m512i reverse =
      _mm512_broadcast_i32x4(_mm_set_epi8(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15));
  const __m512i start = _mm512_maskz_set1_epi64(0x55, static_cast<long long>(first));
  const __m512i offset = _mm512_set_epi64(0, 3, 0, 2, 0, 1, 0, 0);
  for (std::size_t i = 0; i < kWidth; ++i) {
    const __m512i step = _mm512_maskz_set1_epi64(0x55, static_cast<long long>(kLane * i));
    const __m512i counter = _mm512_add_epi64(_mm512_add_epi64(start, offset), step);
    state[i] = _mm512_shuffle_epi8(counter, reverse);
  }
}

COMITY_AVX512_INLINE __mmask8 FirstQuadwords(std::size_t blocks) {
  return blocks >= kLane ? static_cast<__mmask8>(0xff)
                         : static_cast<__mmask8>((1U << (2 * blocks)) - 1);
}

// Encrypts kWidth registers under each of two keys, which keeps twice as many in flight.
template <std::size_t kWidth>
COMITY_AVX512_INLINE void EncryptPair(const Block* even_keys, const Block* odd_keys,
                                      const __m512i (&in)[kWidth], __m512i (&even)[kWidth],
                                      __m512i (&odd)[kWidth]) {
  for (std::size_t i = 0; i < kWidth; ++i) {
    even[i] = _mm512_xor_si512(in[i], Broadcast(even_keys[0]));
    odd[i] = _mm512_xor_si512(in[i], Broadcast(odd_keys[0]));
  }
#pragma GCC unroll 9
  for (std::size_t round = 1; round < kRoundKeys - 1; ++round) {
    const __m512i even_key = Broadcast(even_keys[round]);
    for (std::size_t i = 0; i < kWidth; ++i) even[i] = _mm512_aesenc_epi128(even[i], even_key);
    const __m512i odd_key = Broadcast(odd_keys[round]);
    for (std::size_t i = 0; i < kWidth; ++i) odd[i] = _mm512_aesenc_epi128(odd[i], odd_key);
  }
  const __m512i even_key = Broadcast(even_keys[kRoundKeys - 1]);
  const __m512i odd_key = Broadcast(odd_keys[kRoundKeys - 1]);
  for (std::size_t i = 0; i < kWidth; ++i) {
    even[i] = _mm512_aesenclast_epi128(even[i], even_key);
    odd[i] = _mm512_aesenclast_epi128(odd[i], odd_key);
  }
}

// 4 * kWidth blocks (or the `left` that remain) of the five sums of one tree.
template <std::size_t kWidth>
COMITY_AVX512_INLINE void ExpandStrip(const LeafPlanes& leaves, std::size_t at, std::size_t left) {
  __m512i counters[kWidth], sum[kWidth], plane[4][kWidth];
  LoadCounters<kWidth>(leaves.first_counter + at, counters);
  for (std::size_t i = 0; i < kWidth; ++i) {
    sum[i] = _mm512_setzero_si512();
    for (auto& p : plane) p[i] = _mm512_setzero_si512();
  }
#pragma GCC unroll 8
  for (std::size_t pair = 0; pair < 8; ++pair) {
    const Block* const keys = leaves.schedules + 2 * pair * kRoundKeys;
    __m512i even[kWidth], odd[kWidth];
    EncryptPair<kWidth>(keys, keys + kRoundKeys, counters, even, odd);
    for (std::size_t i = 0; i < kWidth; ++i) {
      plane[0][i] = _mm512_xor_si512(plane[0][i], odd[i]);
      const __m512i both = _mm512_xor_si512(even[i], odd[i]);
      sum[i] = _mm512_xor_si512(sum[i], both);
      for (std::size_t bit = 1; bit < 4; ++bit) {
        if ((pair >> (bit - 1) & 1) != 0) plane[bit][i] = _mm512_xor_si512(plane[bit][i], both);
      }
    }
  }
  for (std::size_t i = 0; i < kWidth && kLane * i < left; ++i) {
    const __mmask8 mask = FirstQuadwords(left - kLane * i);
    const std::size_t to = at + kLane * i;
    if (leaves.sum != nullptr) {
      if (leaves.sum_offset != nullptr) {
        const __m512i offset = _mm512_maskz_loadu_epi64(mask, leaves.sum_offset + to);
        sum[i] = _mm512_xor_si512(sum[i], offset);
      }
      _mm512_mask_storeu_epi64(leaves.sum + to * Block::kSize, mask, sum[i]);
    }
    __m512i correction = _mm512_setzero_si512();
    if (leaves.correction != nullptr) {
      correction = _mm512_maskz_loadu_epi64(mask, leaves.correction + to * Block::kSize);
    }
    for (std::size_t bit = 0; bit < 4; ++bit) {
      const __m512i chosen = _mm512_set1_epi64(static_cast<long long>(leaves.plane_masks[bit]));
      const __m512i value = _mm512_xor_si512(plane[bit][i], _mm512_and_si512(correction, chosen));
      _mm512_mask_storeu_epi64(leaves.planes + bit * leaves.stride + to, mask, value);
    }
  }
}

}  // namespace

COMITY_AVX512 void ExpandKey(const Block& key, KeySchedule& schedule) {
  __m128i round[kRoundKeys];
  round[0] = _mm_load_si128(reinterpret_cast<const __m128i*>(&key));
  round[1] = NextRoundKey<0x01>(round[0]);
  round[2] = NextRoundKey<0x02>(round[1]);
  round[3] = NextRoundKey<0x04>(round[2]);
  round[4] = NextRoundKey<0x08>(round[3]);
  round[5] = NextRoundKey<0x10>(round[4]);
  round[6] = NextRoundKey<0x20>(round[5]);
  round[7] = NextRoundKey<0x40>(round[6]);
  round[8] = NextRoundKey<0x80>(round[7]);
  round[9] = NextRoundKey<0x1b>(round[8]);
  round[10] = NextRoundKey<0x36>(round[9]);
  for (std::size_t i = 0; i < kRoundKeys; ++i) {
    _mm_store_si128(reinterpret_cast<__m128i*>(&schedule[i]), round[i]);
  }
}

namespace {

// The tweaks number, number + 1, ... of 4 * kWidth rows are XORed in.
template <std::size_t kWidth>
COMITY_AVX512_INLINE void AddTweaks(std::uint64_t number, __m512i (&state)[kWidth]) {
  const __m512i offset = _mm512_set_epi64(0, 3, 0, 2, 0, 1, 0, 0);
  for (std::size_t i = 0; i < kWidth; ++i) {
    const auto first = static_cast<long long>(number + kLane * i);
    const __m512i tweak = _mm512_add_epi64(_mm512_maskz_set1_epi64(0x55, first), offset);
    state[i] = _mm512_xor_si512(state[i], tweak);
  }
}

// 4 * kWidth rows, or the `left` that remain.
template <std::size_t kWidth>
COMITY_AVX512_INLINE void HashStrip(const Block* schedule, const RowHashes& rows, std::size_t at,
                                    std::size_t left) {
  __m512i inner[kWidth], outer[kWidth];
  const __m512i offset = Broadcast(rows.offset);
  for (std::size_t i = 0; i < kWidth; ++i) {
    const __mmask8 mask = left > kLane * i ? FirstQuadwords(left - kLane * i) : __mmask8{0};
    inner[i] = _mm512_maskz_loadu_epi64(mask, rows.rows + at + kLane * i);
    inner[i] = _mm512_xor_si512(inner[i], offset);
  }
  Encrypt<kWidth>(schedule, inner);
  for (std::size_t i = 0; i < kWidth; ++i) outer[i] = inner[i];
  AddTweaks<kWidth>(rows.first_number + at, outer);
  Encrypt<kWidth>(schedule, outer);
  const __m512i low_words = _mm512_set_epi64(14, 12, 10, 8, 6, 4, 2, 0);
  for (std::size_t i = 0; i < kWidth && kLane * i < left; i += 2) {
    const std::size_t words = left - kLane * i;
    const __mmask8 mask =
        words >= 2 * kLane ? __mmask8{0xff} : static_cast<__mmask8>((1U << words) - 1);
    const __m512i a = _mm512_xor_si512(inner[i], outer[i]);
    const __m512i b = _mm512_xor_si512(inner[i + 1], outer[i + 1]);
    _mm512_mask_storeu_epi64(rows.out + at + kLane * i, mask,
                             _mm512_permutex2var_epi64(a, low_words, b));
  }
}

}  // namespace

COMITY_AVX512 void HashRows(const Block* schedule, const RowHashes& rows) {
  constexpr std::size_t kWidth = 8;
  for (std::size_t at = 0; at < rows.count; at += kLane * kWidth) {
    HashStrip<kWidth>(schedule, rows, at, rows.count - at);
  }
}

COMITY_AVX512 void ExpandLeaves(const LeafPlanes& leaves) {
  constexpr std::size_t kWidth = 2;  // with more, the sums do not fit the registers
  for (std::size_t at = 0; at < leaves.count; at += kLane * kWidth) {
    ExpandStrip<kWidth>(leaves, at, leaves.count - at);
  }
}

namespace {

// Register r of the eight holds octets of column r, eight positions p of eight OTs in each 128-bit
// lane pair; after it, register r holds whole 8x8 bit squares: quadword q of lane l of register r
// is position 16 l + 2 r + q of the 64, one octet a column.
COMITY_AVX512_INLINE void InterleaveColumns(__m512i (&c)[8]) {
  __m512i t[8];
  for (int i = 0; i < 4; ++i) {
    t[i] = _mm512_unpacklo_epi8(c[2 * i], c[2 * i + 1]);
    t[4 + i] = _mm512_unpackhi_epi8(c[2 * i], c[2 * i + 1]);
  }
  __m512i s[8];
  for (int h = 0; h < 2; ++h) {
    for (int i = 0; i < 2; ++i) {
      s[4 * h + i] = _mm512_unpacklo_epi16(t[4 * h + 2 * i], t[4 * h + 2 * i + 1]);
      s[4 * h + 2 + i] = _mm512_unpackhi_epi16(t[4 * h + 2 * i], t[4 * h + 2 * i + 1]);
    }
  }
  for (int q = 0; q < 4; ++q) {
    c[2 * q] = _mm512_unpacklo_epi32(s[2 * q], s[2 * q + 1]);
    c[2 * q + 1] = _mm512_unpackhi_epi32(s[2 * q], s[2 * q + 1]);
  }
}

// Transposes the 8x8 bits of every quadword.
COMITY_AVX512_INLINE __m512i TransposeSquares(__m512i squares) {
  // The affine product takes the matrix rows from the highest octet down and so gives the columns
  // of the octet-reversed square; the identity selects one of them an octet.
  const __m512i identity = _mm512_set1_epi64(static_cast<long long>(0x8040201008040201ULL));
  const __m512i reverse =
      _mm512_broadcast_i32x4(_mm_set_epi8(8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7));
  return _mm512_gf2p8affine_epi64_epi8(identity, _mm512_shuffle_epi8(squares, reverse), 0);
}

constexpr std::size_t kGroups = 16;     // of eight columns
constexpr std::size_t kPositions = 64;  // of eight OTs, in four blocks of a column

// squares[p][g]: octet i is OT 8 p + i, columns 8 g .. 8 g + 7
using Squares = std::uint64_t[kPositions][kGroups];

COMITY_AVX512_INLINE void MakeSquares(const Block* columns, std::size_t stride, Squares& squares) {
  for (std::size_t group = 0; group < kGroups; ++group) {
    __m512i c[8];
    for (std::size_t i = 0; i < 8; ++i) {
      c[i] = _mm512_loadu_si512(columns + (8 * group + i) * stride);
    }
    InterleaveColumns(c);
    for (std::size_t r = 0; r < 8; ++r) {
      alignas(64) std::uint64_t words[8];
      _mm512_store_si512(words, TransposeSquares(c[r]));
      for (std::size_t lane = 0; lane < 4; ++lane) {
        squares[16 * lane + 2 * r][group] = words[2 * lane];
        squares[16 * lane + 2 * r + 1][group] = words[2 * lane + 1];
      }
    }
  }
}

// The rows of the eight OTs of one position.
COMITY_AVX512_INLINE void StoreRows(const std::uint64_t (&position)[kGroups], __m512i low_rows,
                                    __m512i high_rows, Block* rows) {
  const __m512i a = _mm512_load_si512(position);
  const __m512i b = _mm512_load_si512(position + 8);
  _mm512_storeu_si512(rows, _mm512_permutex2var_epi8(a, low_rows, b));
  _mm512_storeu_si512(rows + kLane, _mm512_permutex2var_epi8(a, high_rows, b));
}

}  // namespace

COMITY_AVX512 std::size_t Transpose(const Block* columns, std::size_t stride, std::size_t count,
                                    Block* rows) {
  // Octet 16 i + g of the eight rows is octet 8 g + i of the sixteen squares.
  alignas(64) std::uint8_t index[128];
  for (std::size_t i = 0; i < 8; ++i) {
    for (std::size_t g = 0; g < kGroups; ++g) {
      index[kGroups * i + g] = static_cast<std::uint8_t>(8 * g + i);
    }
  }
  const __m512i low_rows = _mm512_load_si512(index);
  const __m512i high_rows = _mm512_load_si512(index + 64);
  alignas(64) Squares squares;
  std::size_t at = 0;
  for (; at + kLane <= count; at += kLane) {
    MakeSquares(columns + at, stride, squares);
    for (std::size_t p = 0; p < kPositions; ++p) {
      StoreRows(squares[p], low_rows, high_rows, rows + 128 * at + 8 * p);
    }
  }
  for (std::size_t p = 0; p < kPositions; p += 4) {
    for (std::size_t g = 0; g < kGroups; g += 8) {
      for (std::size_t q = 0; q < 4; ++q) {
        _mm512_store_si512(&squares[p + q][g], _mm512_setzero_si512());
      }
    }
  }
  asm volatile("" : : "r"(&squares) : "memory");  // the zeros are a wipe: keep them
  return at;
}

COMITY_AVX512 std::array<std::uint64_t, 4> MultiplyAccumulate(const Block* column,
                                                              const Block* coefficients,
                                                              std::size_t count) {
  __m512i low = _mm512_setzero_si512();
  __m512i high = low;
  __m512i middle = low;
  for (std::size_t at = 0; at < count; at += kLane) {
    const __mmask8 mask = FirstQuadwords(count - at);
    const __m512i x = _mm512_maskz_loadu_epi64(mask, column + at);
    const __m512i k = _mm512_maskz_loadu_epi64(mask, coefficients + at);
    low = _mm512_xor_si512(low, _mm512_clmulepi64_epi128(x, k, 0x00));
    high = _mm512_xor_si512(high, _mm512_clmulepi64_epi128(x, k, 0x11));
    middle = _mm512_xor_si512(middle, _mm512_clmulepi64_epi128(x, k, 0x01));
    middle = _mm512_xor_si512(middle, _mm512_clmulepi64_epi128(x, k, 0x10));
  }
  alignas(64) std::uint64_t l[8], h[8], m[8];
  _mm512_store_si512(l, low);
  _mm512_store_si512(h, high);
  _mm512_store_si512(m, middle);
  std::array<std::uint64_t, 4> product{};
  for (std::size_t i = 0; i < 8; i += 2) {
    product[0] ^= l[i];
    product[1] ^= l[i + 1] ^ m[i];
    product[2] ^= h[i] ^ m[i + 1];
    product[3] ^= h[i + 1];
  }
  return product;
}

}  // namespace comity::ot::avx512

#else  // no AVX-512: FastestKernel() never says so, and nothing is called

#include "crypto/base/check.h"

namespace comity::ot::avx512 {

void ExpandKey(const Block&, KeySchedule&) {
  COMITY_CHECK(false);
}
void HashRows(const Block*, const RowHashes&) {
  COMITY_CHECK(false);
}
void ExpandLeaves(const LeafPlanes&) {
  COMITY_CHECK(false);
}
std::size_t Transpose(const Block*, std::size_t, std::size_t, Block*) {
  COMITY_CHECK(false);
}
std::array<std::uint64_t, 4> MultiplyAccumulate(const Block*, const Block*, std::size_t) {
  COMITY_CHECK(false);
}

}  // namespace comity::ot::avx512

#endif
