// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "crypto/ot/block.h"

namespace comity::ot {

// AES-128 as a keyed permutation of blocks; not a mode of encryption and never used as one.
//
// Secret:  the key may be, the blocks are; wiped at the end
// Leaks:   time depends on the counts only, as far as libcrypto's AES does
// Threads: thread-compatible
// Source:  FIPS 197; SP 800-38A, sections 6.1 and 6.5
class Aes128 {
 public:
  explicit Aes128(const Block& key);
  Aes128(Aes128&&) noexcept;
  Aes128& operator=(Aes128&&) noexcept;
  ~Aes128();

  // Every block becomes its image.
  void Encrypt(std::span<Block> blocks);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// A stream of blocks of AES-128 in counter mode; the counter is a 128-bit big-endian integer.
//
// Secret, Leaks, Threads, Source: as Aes128
class Aes128Stream {
 public:
  explicit Aes128Stream(const Block& key);
  Aes128Stream(Aes128Stream&&) noexcept;
  Aes128Stream& operator=(Aes128Stream&&) noexcept;
  ~Aes128Stream();

  // The images of the counters `first`, `first` + 1, ...
  void Fill(std::uint64_t first, std::span<Block> out);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace comity::ot
