// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "crypto/base/bytes.h"
#include "crypto/base/random.h"
#include "crypto/base/result.h"
#include "crypto/base/secret.h"
#include "crypto/sealed/ntt.h"
#include "crypto/sealed/profile.h"
#include "crypto/sealed/public_matrix.h"
#include "crypto/sealed/sealed_block.h"
#include "crypto/sealed/secret_array.h"

namespace comity::sealed {

// Which block of which list.
struct BlockIdentity {
  Digest header;  // digest of the signed list header
  std::uint32_t number = 0;
};

// What the holder stores of a block, the root under its list key. Enough to answer searches.
struct BlockRoot {
  SecretBytes root;  // 32 octets, drawn for this block
  Digest contents;   // BLAKE2b-256 of the entries in slot order: says whether a guess is right
  std::uint32_t count = 0;
};

struct SealedWithRoot {
  SealedBlock block;
  BlockRoot root;
};

// Seals the entries of a block, all at once, under a root of its own. The expansion key is bound to
// list, block, count and contents, so the same slot with other contents is under another key even
// if a root came twice.
//
// In:      matrix   from the list's public seed, of the profile's dimension
//          entries  slot 0 first, d elements each; 1..1024 templates that pass CheckTemplate. Their
//                   order is public: put them in a random one (RandomSlotOrder)
// Secret:  the entries, the root and all that comes of it; time depends on the sizes only
// Leaks:   the sealed block shows the number of entries
// Errors:  kInvalidArgument  a matrix of another dimension, no or too many entries, or an element
// or
//                            a norm out of range
// Threads: pure function but for `random`
Result<SealedWithRoot> Seal(const Profile& profile, const SealingMatrix& matrix,
                            const BlockIdentity& identity, std::span<const std::int8_t> entries,
                            RandomSource& random);

// For an auditor who is given root and entries: the hash that the sealed block must have. Gives no
// block away: one made of chosen entries under a root in use would show the difference of
// templates.
//
// In:     root  32 octets
// Errors: as Seal, and kInvalidArgument for a root of another length
Result<Digest> AuditReseal(const Profile& profile, const SealingMatrix& matrix,
                           const BlockIdentity& identity, ByteView root,
                           std::span<const std::int8_t> entries);

// A uniformly random order of 0 .. count-1.
std::vector<std::uint32_t> RandomSlotOrder(std::uint32_t count, RandomSource& random);

// The transformed secret s of a block, as searches need it. Destroying the list key must end these
// too, in every process.
//
// Threads: immutable.
class BlockSecret {
 public:
  // Errors: kInvalidArgument  a root that has not 32 octets, or a count outside 1..1024
  static Result<BlockSecret> Derive(const BlockIdentity& identity, const BlockRoot& root);

  // t = -c'' s mod M: the holder's share of the scores of all slots of the block.
  //
  // In:     probe  the transformed c'', from any peer
  // Secret: `share`; time depends on nothing
  void Share(TransformedView probe, ElementSpan share) const;

 private:
  explicit BlockSecret(SecretArray<std::uint64_t> secret) : secret_(std::move(secret)) {}
  SecretArray<std::uint64_t> secret_;
};

}  // namespace comity::sealed
