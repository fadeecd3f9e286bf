// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>

namespace comity {

// Where pure code takes randomness from: injected, so that tests can repeat a run.
//
// Threads: implementations are thread-safe.
class RandomSource {
 public:
  virtual ~RandomSource() = default;
  // Fills `out` with uniformly random octets. Cannot fail.
  virtual void Fill(std::span<std::uint8_t> out) = 0;
};

// The operating system's generator through libsodium; the process ends if it cannot be seeded.
class SystemRandom final : public RandomSource {
 public:
  SystemRandom();
  void Fill(std::span<std::uint8_t> out) override;
};

}  // namespace comity
