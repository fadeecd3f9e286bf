// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "crypto/base/little_endian.h"
#include "crypto/base/random.h"
#include "crypto/hash/chacha_stream.h"

namespace comity::testing {

// Octets that a number names: the n-th Fill is the ChaCha20 stream of index n under the number. For
// tests and benchmarks only.
//
// Threads: thread-compatible
class SeededRandom final : public RandomSource {
 public:
  explicit SeededRandom(std::uint64_t seed) {
    const auto octets = LittleEndian<8>(seed);
    for (std::size_t i = 0; i < octets.size(); ++i) key_[i] = octets[i];
  }
  void Fill(std::span<std::uint8_t> out) override {
    if (!out.empty()) hash::ExpandStream(key_, kLabel, next_++, out);
  }

 private:
  static constexpr std::uint32_t kLabel = 0x74657374;
  std::array<std::uint8_t, 32> key_{};
  std::uint64_t next_ = 0;
};

}  // namespace comity::testing
