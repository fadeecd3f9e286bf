// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "crypto/base/bytes.h"
#include "crypto/sealed/seal.h"

// Sealed search as its formulas read, in 64-bit integers and without any trick: what the fast code
// is compared with.
namespace comity::sealed::reference {

using Polynomial = std::vector<std::int64_t>;  // n coefficients

std::int64_t Mod(std::int64_t value);  // into [0, 2^24)
// left * right mod X^n + 1 and mod M, term by term.
Polynomial Product(const Polynomial& left, const Polynomial& right);

Polynomial PublicElement(ByteView seed, std::uint64_t index);
Polynomial Ternary(ByteView key, std::uint32_t label);
Polynomial Error(ByteView key, std::uint32_t label, std::uint64_t index);

// b[slot][j] and p of a block.
struct Block {
  Polynomial p;
  std::vector<Polynomial> columns;  // [j][slot]
};
Bytes ExpansionKey(const BlockIdentity& identity, ByteView root, std::uint32_t count,
                   const Digest& contents);
Block Seal(const Scales& scales, std::int64_t delta, ByteView seed, ByteView key,
           std::span<const std::int8_t> entries);

// c'' of a probe seed.
Polynomial BlindedProbe(ByteView public_seed, std::span<const std::int8_t> q, ByteView z);

// Whether the comparison says hit, straight from its definition: the distance of the leading bits.
bool IsHit(std::uint32_t t, std::uint32_t b, std::uint32_t threshold);

}  // namespace comity::sealed::reference
