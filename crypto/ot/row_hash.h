// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "crypto/ot/aes128.h"
#include "crypto/ot/block.h"
#include "crypto/ot/kernel.h"

namespace comity::ot {

// The hash that breaks the correlation of rows, H(i, x) = pi(pi(x) XOR i) XOR pi(x), cut to its
// first 64 bits; pi is AES-128 under a fixed key, i the little-endian 128-bit number of the OT.
//
// A number must not be used for two OTs under one key (the two keys of one OT share theirs).
//
// Secret:  rows, offset and hashes; the key is known to both parties
// Leaks:   time depends on the counts only
// Threads: thread-compatible
// Source:  Guo, Katz, Wang, Weng, Yu, IEEE S&P 2020 (eprint 2019/074), section 7.4
class RowHash {
 public:
  RowHash(const Block& key, Kernel kernel);
  RowHash(RowHash&&) noexcept = default;
  RowHash& operator=(RowHash&&) noexcept = default;

  // out[k] = H(first_number + k, rows[k] XOR offset). In: out  as many words as rows
  void Hash(std::uint64_t first_number, std::span<const Block> rows, const Block& offset,
            std::span<std::uint64_t> out);

 private:
  std::optional<Aes128> aes_;  // kPortable
  SecretBlocks inner_;         // kPortable: pi(x)
  SecretBlocks outer_;         // kPortable
  SecretBlocks schedule_;      // kAvx512
};

}  // namespace comity::ot
