// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>

#include "crypto/base/bytes.h"
#include "crypto/base/result.h"
#include "crypto/sealed/secret_array.h"

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
// All arrays have one item for each slot of the SlotSet of the search, in its order. One probe a
// call. Pads and choices are used once, also when a later step fails. All functions are pure and
// run in time that depends on sizes only.

// What the oblivious transfer left the holder for its slots.
struct HolderPads {
  std::span<const std::uint8_t> choices;   // sigma, 0..63; secret
  std::span<const std::uint8_t> pad_bits;  // bit sigma of the requester's pad, 0 or 1; secret
};

// d_i = (lo(t_i >> 17) - sigma_i) mod 64, for the requester: six bits each, item i in the bits 6i
// to 6i+5 of the string, least significant of an octet first; the rest of the last octet is zero.
//
// In:    shares  t, secret
// Leaks: nothing to the requester, as long as the choices are uniform and used once
Bytes EncodeOffsets(std::span<const std::uint32_t> shares, const HolderPads& pads);
constexpr std::size_t OffsetBytes(std::size_t slots) {
  return (6 * slots + 7) / 8;
}

struct RequesterInput {
  std::uint32_t threshold = 0;            // T, from Profile::Threshold
  std::span<const std::uint32_t> scores;  // B, secret
  std::span<const std::uint64_t> pads;    // P, secret
  std::span<const std::uint8_t> masks;    // rho, 0 or 1, secret
};

// The tables y_i = ror64(G_i, d_i) ^ P_i, eight octets little-endian each.
// G_i = ((1 << lo(r_i)) - 1) ^ (all ones if 1 ^ msb(r_i) ^ rho_i).
//
// In:     offsets  the holder's d, untrusted: any value is one the holder may choose
// Errors: kInvalidArgument  not OffsetBytes(slots) octets, or spare bits that are not zero
Result<Bytes> EncodeTables(const RequesterInput& input, ByteView offsets);
inline constexpr std::size_t kTableBytes = 8;

// m_i = bit sigma_i of y_i, ^ pad bit ^ msb(t_i >> 17) = hit_i ^ rho_i.
//
// In:     tables  the requester's y, untrusted
// Secret: the result, 0 or 1 each, until the sketch is decoded
// Errors: kInvalidArgument  not 8 octets a slot
Result<SecretArray<std::uint8_t>> OpenTables(std::span<const std::uint32_t> shares,
                                             const HolderPads& pads, ByteView tables);

}  // namespace comity::sealed
