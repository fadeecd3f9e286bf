// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>

#include "crypto/base/bytes.h"
#include "crypto/base/result.h"
#include "crypto/base/secret.h"
#include "crypto/ot/pads.h"

namespace comity::sealed {

// The comparison. The score of a slot is shared as B + t mod M; B is the requester's, t the
// holder's. The requester sends one table of 64 bits for each slot, under a one-time pad that the
// oblivious transfer has left it; the holder can read one bit, hit ^ rho.
//
// With T the threshold, k = 7, v >> 17 the leading bits of v, lo(x) = x mod 64 and msb(x) = x / 64:
//
//   r   = ((T + 2^16 - B) mod M) >> 17
//   hit = 1 ^ msb(t >> 17) ^ msb(r) ^ [lo(t >> 17) < lo(r)]
//
// which is score >= T, but for scores within half a step (2^16) of T: there it is 1 with
// probability 1/2 + (score - T) / 2^17, and the holder knows which way.
//
// All arrays have one item for each slot of the SlotSet of the search, in its order, at least one.
// One probe a call. Each call uses up the pads that it is given, also when it fails, so that no pad
// can serve twice. All functions are pure and run in time that depends on sizes only.

// What the holder tells the requester of a probe, and what is left for opening the tables.
struct ToldOffsets {
  Bytes message;  // d, OffsetBytes(slots) octets
  ot::HolderOpenings openings;
};

// d_i = (lo(t_i >> 17) - sigma_i) mod 64, for the requester: six bits each, item i in the bits 6i
// to 6i+5 of the string, least significant of an octet first; the rest of the last octet is zero.
//
// In:    shares  t, secret;  pads  as many
// Leaks: nothing to the requester, since the choices sigma are uniform and used once
ToldOffsets TellOffsets(std::span<const std::uint32_t> shares, ot::HolderPads pads);
constexpr std::size_t OffsetBytes(std::size_t slots) {
  return (6 * slots + 7) / 8;
}

struct TableInput {
  std::uint32_t threshold = 0;            // T, from Profile::Threshold
  std::span<const std::uint32_t> scores;  // B, secret
  std::span<const std::uint8_t> masks;    // rho, 0 or 1, secret
};

// The tables y_i = ror64(G_i, d_i) ^ P_i, eight octets little-endian each.
// G_i = ((1 << lo(r_i)) - 1) ^ (all ones if 1 ^ msb(r_i) ^ rho_i).
//
// In:     offsets  the holder's d, untrusted: any value is one the holder may choose
//         pads     P, as many as scores
// Errors: kInvalidArgument  not OffsetBytes(slots) octets, or spare bits that are not zero
Result<Bytes> CoverTables(const TableInput& input, ByteView offsets, ot::RequesterPads pads);
inline constexpr std::size_t kTableBytes = ot::kPadBytes;

// m_i = bit sigma_i of y_i, ^ pad bit ^ msb(t_i >> 17) = hit_i ^ rho_i.
//
// In:     tables  the requester's y, untrusted
// Secret: the result, 0 or 1 each, until the sketch is decoded
// Errors: kInvalidArgument  not 8 octets a slot
Result<SecretBytes> OpenTables(std::span<const std::uint32_t> shares, ot::HolderOpenings openings,
                               ByteView tables);

}  // namespace comity::sealed
