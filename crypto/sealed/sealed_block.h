// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

#include "crypto/base/bytes.h"
#include "crypto/base/result.h"
#include "crypto/sealed/plane_matrix.h"
#include "crypto/sealed/ring.h"

namespace comity::sealed {

// What the holder gives away of a block: p and, for each filled slot i and dimension j, the
// coefficient i of a_j s + e_j + Delta x_j. Nothing of unused slots.
//
// Encoding, for transfer and for the hash (all integers little-endian):
//
//   offset 0     LE32  block number
//          4     LE32  count, the filled slots: 1..1024
//          8     LE32  d
//          12    p: 1024 coefficients of 3 octets
//          3084  rows: slot 0 first, of each b[0] .. b[d-1] in 3 octets; count * d * 3 octets
//
// d = 512 and a full block: 1,575,948 octets.
struct SealedBlock {
  std::uint32_t number = 0;
  Element p{};
  PlaneMatrix rows;  // row = slot

  std::size_t count() const { return rows.rows(); }
  std::size_t dimension() const { return rows.columns(); }
};

inline constexpr std::size_t kBlockHeaderBytes = 12;

// In: count  1..1024;  dimension  a template dimension
constexpr std::size_t EncodedBlockBytes(std::size_t count, std::size_t dimension) {
  return kBlockHeaderBytes + kElementBytes + count * dimension * kCoefficientBytes;
}

Bytes EncodeSealedBlock(const SealedBlock& block);

// In:     bytes      untrusted
//         dimension  that of the list's header
//         number     that of the block which was asked for
// Errors: kInvalidArgument  a length, count, dimension or number that is not the one it must be;
//                           nothing is allocated then
Result<SealedBlock> ParseSealedBlock(ByteView bytes, std::size_t dimension, std::uint32_t number);

// BLAKE2b-256("comity/sealed-v1/block-hash" | header digest | encoding).
Digest BlockHash(const Digest& header, const SealedBlock& block);

}  // namespace comity::sealed
