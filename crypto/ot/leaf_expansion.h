// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "crypto/base/bytes.h"
#include "crypto/ot/aes128.h"
#include "crypto/ot/block.h"
#include "crypto/ot/kernel.h"

namespace comity::ot {

inline constexpr std::size_t kTreeDepth = 4;
inline constexpr std::size_t kLeafCount = 16;  // 2^kTreeDepth: SoftSpoken with k = 4
inline constexpr std::size_t kTreeCount = 32;
inline constexpr std::size_t kColumnCount = 128;  // kTreeCount * kTreeDepth
static_assert(kTreeCount * kTreeDepth == kColumnCount && kLeafCount == 1U << kTreeDepth);

// Where the expansion of one tree goes. Block t of a plane holds the OTs 128 t .. 128 t + 127; the
// octet strings are planes as they stand in a message, 16 * count octets.
struct PlaneSpans {
  // Empty when it is not wanted: then leaf 0 is not used at all.
  std::span<std::uint8_t> sum = {};
  // XORed into the sum; empty for none.
  std::span<const Block> sum_offset = {};
  // XORed into planes[b] if bit b of `correction_planes` (0..15, secret) is set; empty for none.
  ByteView correction = {};
  std::uint64_t correction_planes = 0;
  Block* planes = nullptr;  // kTreeDepth planes, the next one `stride` blocks on
  std::size_t stride = 0;   // at least `count`
  std::size_t count = 0;    // blocks a plane
};

// The pseudo-random strings r_x of the 16 leaves x of one tree, folded:
//   sum = XOR of all r_x,   planes[b] = XOR of the r_x with bit b of x set.
// r_x is AES-128 in counter mode under leaf key x; the counter of an OT is its running number
// divided by 128, so that no stretch of a stream is used twice within a session.
//
// Secret:  the keys and all strings
// Leaks:   time depends on the counts only; no address depends on a key
// Threads: thread-compatible
// Source:  Roy, CRYPTO 2022 (eprint 2022/192), section 3.1
class LeafExpansion {
 public:
  // In: keys  kLeafCount leaf keys
  LeafExpansion(std::span<const Block> keys, Kernel kernel);

  void Expand(std::uint64_t first_counter, const PlaneSpans& out);

 private:
  void ExpandPortably(std::uint64_t first_counter, const PlaneSpans& out);

  Kernel kernel_;
  std::vector<Aes128Stream> streams_;  // kPortable
  SecretBlocks schedules_;             // kAvx512
};

}  // namespace comity::ot
