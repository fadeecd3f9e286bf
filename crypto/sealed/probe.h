// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "crypto/base/bytes.h"
#include "crypto/base/random.h"
#include "crypto/base/result.h"
#include "crypto/base/secret.h"
#include "crypto/sealed/ntt.h"
#include "crypto/sealed/public_matrix.h"
#include "crypto/sealed/score.h"
#include "crypto/sealed/secret_array.h"
#include "crypto/sealed/slot_set.h"

namespace comity::sealed {

// The probe's seed z = BLAKE2b-256(key = 32 fresh octets, session | LE64 number | q). Hedged: a
// machine that was copied or restored repeats its randomness, not its probes.
//
// In:     session  context digest of the session;  number  of the probe within it, never repeated:
//                  a retry is a new number
// Secret: q and the result
SecretBytes DrawProbeSeed(const Digest& session, std::uint64_t number,
                          std::span<const std::int8_t> q, RandomSource& random);

// The requester's side of one probe against one list: u, e_1 and rho, all from the seed.
//
// A seed is used for one c''. Two c'' under one u show the difference of their probes.
//
// Threads: immutable.
class Probe {
 public:
  // In:     q     a template that passes CheckTemplate, of the matrix's dimension
  //         seed  32 octets from DrawProbeSeed
  // Secret: q and the seed
  // Errors: kInvalidArgument  q is no template of that dimension, or the seed has another length
  static Result<Probe> Blind(const PublicMatrix& matrix, std::span<const std::int8_t> q,
                             SecretBytes seed, Kernel kernel);

  // c'' = sum q_j a_j + a_0 u + e_1, encoded (ring.h): all that the holder gets of the probe.
  ByteView message() const { return message_; }
  // To be kept, encrypted and with q, for a probe with released hits: it opens c''.
  const SecretBytes& seed() const { return seed_; }

  // scores = b' + p u: makes B of what Score gave for a block.
  //
  // In:     p       the transformed p of that block
  //         scores  b', secret from then on
  void AddBlinding(TransformedView p, ElementSpan scores) const;

  // rho, one octet 0 or 1 for each slot of `slots`: bit number-1 of stream(seed, label 6), least
  // significant of an octet first, so that a tombstone does not shift the others.
  SecretArray<std::uint8_t> Masks(const SlotSet& slots) const;

 private:
  Probe() = default;
  std::array<std::uint8_t, kElementBytes> message_{};
  SecretBytes seed_;
  SecretArray<std::uint64_t> blind_;  // the transformed u
};

// Checks that `message` is the c'' of the template q under the seed z. A c'' has only one opening
// that anybody can find: short ones are far fewer than values.
//
// In:     q, z, message  untrusted, from the requester
// Errors: kInvalidArgument  a wrong length, or q is no template
//         kCorrupt          c'' is another
// Threads: pure function
Status VerifyOpening(const PublicMatrix& matrix, std::span<const std::int8_t> q, ByteView z,
                     ByteView message);

}  // namespace comity::sealed
