// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

#include "crypto/base/bytes.h"
#include "crypto/base/result.h"
#include "crypto/base/secret.h"
#include "crypto/ot/block.h"
#include "crypto/ot/correlation_source.h"
#include "crypto/ot/kernel.h"
#include "crypto/ot/pad_queue.h"
#include "crypto/ot/row_hash.h"

namespace comity::ot {

// One-time pads for a table of 64 bits of which the holder opens one: 1-of-64 oblivious transfer of
// single bits, made ahead of need from six correlated OTs a pad.
//
// With K^0_j = W_j, K^1_j = W_j XOR Delta the two keys of OT j of the pad, i_j its running number:
//   G^b_j  = the first 64 bits of H(i_j, K^b_j)
//   P      = XOR_j of (G^0_j where bit j of the position is 0, G^1_j where it is 1)
//   sigma  = sum of 2^j u_j;   the holder has G^(u_j)_j = H(i_j, V_j), hence bit sigma of P alone
//   H(i, x) = pi(pi(x) XOR LE128 i) XOR pi(x),  pi = AES-128 under the session's hash key
//   hash key = the first 16 octets of BLAKE2b-256("comity/sealed-v1/ot-hash" | sid | base OT
//              transcript)
// Bit v of a pad or table is bit v of its 64-bit integer. The six OTs of a pad follow one another;
// what is left over at the end of a batch (less than six) is dropped.
//
// Used once each: sigma leaves the holder only as the difference to a position, the table leaves
// the requester only under P. Two uses of one pad would show the holder two bits of one table, and
// the requester the difference of two positions. So pads are taken out of a move-only pool in
// order, both sides in step, a failed search does not give them back, and what is taken can be used
// in one way and then is gone.
//
// Secret:  everything but the numbers
// Leaks:   time depends on the counts only; variable shifts by a secret are one instruction
// Threads: thread-compatible
// Source:  Naor and Pinkas's 1-of-N from 1-of-2; H: Guo, Katz, Wang, Weng, Yu, IEEE S&P 2020
// (eprint
//          2019/074), section 7.4, tweakable circular correlation robust in the ideal-cipher model,
//          for which the tweak need be no more than different for different OTs; precomputation:
//          Beaver, CRYPTO 1995. Vectors in tests/vectors/sealed/softspoken.json
inline constexpr std::size_t kPadPositions = 64;
inline constexpr std::size_t kPadBytes = kPadPositions / 8;

// The hash key above. Not secret between the two parties.
Block PadHashKey(const Digest& sid, const Digest& base_transcript);

// Pads taken out of the requester's pool.
class RequesterPads {
 public:
  RequesterPads(RequesterPads&&) noexcept = default;
  RequesterPads& operator=(RequesterPads&&) = delete;
  RequesterPads(const RequesterPads&) = delete;

  const PadNumbers& numbers() const { return numbers_; }
  // Table i ^= P_i, and the pads are gone. In: tables  eight octets a pad, little-endian
  void Cover(std::span<std::uint8_t> tables) &&;

 private:
  friend class RequesterPadPool;
  RequesterPads(PadNumbers numbers, SecretBytes pads) : numbers_(numbers), pads_(std::move(pads)) {}

  PadNumbers numbers_;
  SecretBytes pads_;
};

// Pads whose offset has been told; what is left is to open the tables.
class HolderOpenings {
 public:
  HolderOpenings(HolderOpenings&&) noexcept = default;
  HolderOpenings& operator=(HolderOpenings&&) = delete;
  HolderOpenings(const HolderOpenings&) = delete;

  const PadNumbers& numbers() const { return numbers_; }
  // One octet a pad, 0 or 1: bit sigma_i of covered table i XOR P_i. The openings are gone.
  //
  // In: covered  eight octets a pad, little-endian; any value is a table
  SecretBytes Open(ByteView covered) &&;

 private:
  friend class HolderPads;
  HolderOpenings(PadNumbers numbers, SecretBytes choices)
      : numbers_(numbers), choices_(std::move(choices)) {}

  PadNumbers numbers_;
  SecretBytes choices_;  // sigma | bit << 6
};

// Pads taken out of the holder's pool.
class HolderPads {
 public:
  HolderPads(HolderPads&&) noexcept = default;
  HolderPads& operator=(HolderPads&&) = delete;
  HolderPads(const HolderPads&) = delete;

  const PadNumbers& numbers() const { return numbers_; }
  // What to tell the requester, offsets[i] = (positions[i] - sigma_i) mod 64, so that it turns its
  // tables right by it (bit v of the covered table is bit v + offset of the table).
  //
  // In: positions  as many as pads, 0..63 each, secret;  offsets  as many, 0..63 each, public
  HolderOpenings Offsets(std::span<const std::uint8_t> positions,
                         std::span<std::uint8_t> offsets) &&;

 private:
  friend class HolderPadPool;
  HolderPads(PadNumbers numbers, SecretBytes choices)
      : numbers_(numbers), choices_(std::move(choices)) {}

  PadNumbers numbers_;
  SecretBytes choices_;
};

// The requester's pool, 8 octets a pad.
class RequesterPadPool {
 public:
  RequesterPadPool(const Block& hash_key, Kernel kernel) : hash_(hash_key, kernel) {}

  // Makes floor(rows / 6) pads of a strip. Its OT numbers must lie above those of all before it
  // (COMITY_CHECK).
  void Add(const RequesterRows& strip);
  std::size_t size() const { return pads_.size(); }
  // The next `count` pads.
  // Errors: kInvalidArgument  count is 0
  //         kExhausted        there are fewer; none is taken
  Result<RequesterPads> Take(std::size_t count);

 private:
  RowHash hash_;
  PadQueue pads_{kPadBytes};
};

// The holder's pool, 1 octet a pad.
class HolderPadPool {
 public:
  HolderPadPool(const Block& hash_key, Kernel kernel) : hash_(hash_key, kernel) {}

  // As RequesterPadPool.
  void Add(const HolderRows& strip);
  std::size_t size() const { return choices_.size(); }
  Result<HolderPads> Take(std::size_t count);

 private:
  RowHash hash_;
  PadQueue choices_{1};  // sigma | bit << 6
};

}  // namespace comity::ot
