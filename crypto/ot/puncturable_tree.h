// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

#include "crypto/base/bytes.h"
#include "crypto/base/random.h"
#include "crypto/base/result.h"
#include "crypto/ot/base_ot.h"
#include "crypto/ot/block.h"
#include "crypto/ot/leaf_expansion.h"

namespace comity::ot {

// The transfer of 32 puncturable trees of 16 leaves: the holder makes the trees, the requester gets
// all leaves of each but one, the holder does not learn which.
//
//   node of level 0    16 random octets a tree
//   children           left | right = BLAKE2b-256(key = node, "comity/sealed-v1/ot-tree" | sid
//                                                 | LE32 tree | LE32 level | LE32 index)
//   level sums         K^b_l = XOR of all nodes of level l that are left (b = 0) or right (b = 1)
//   opened leaf        t_x (32 octets) | leaf key (16 octets) = the first 48 octets of BLAKE2b-512(
//                        key = node x of level 4, "comity/sealed-v1/ot-leaf" | sid | LE32 tree
//                        | LE32 x)
//
// Base OT 4 tree + l - 1 carries level l: the holder sends K^b_l XOR the first 16 octets of k_{i,b}
// (each base key is used this once). A requester with choice c in it learns K^c_l; the leaf it
// misses has, at level l (the highest bit of its number first), the bit 1 - c.
//
// Message of the holder, 6,144 octets, trees in order:
//   for each tree and level   masked K^0 | masked K^1                      4,096 octets
//   for each tree             t = XOR of all t_x | BLAKE2b-256("comity/sealed-v1/ot-leaf-check"
//                             | sid | LE32 tree | t_0 | ... | t_15)        2,048 octets
//
// The check: the requester computes t_x of the missing leaf from t and compares the hash, so that
// every leaf it holds is one the holder is bound to. A holder that lies passes only if it guessed
// some of the base choices right, one bit of luck for one bit learnt.
//
// Secret:  nodes, leaf keys, the missing leaf's number; the requester's work is the same whichever
//          leaf it misses (the answer to a failed check excepted)
// Leaks:   nothing to an honest requester of the missing leaves; see the check for a lying holder
// Source:  Roy, CRYPTO 2022 (eprint 2022/192), section 3.1 and Figure 8; vectors in
//          tests/vectors/sealed/softspoken.json
inline constexpr std::size_t kTreeMessageSize =
    kBaseOtCount * 2 * Block::kSize + kTreeCount * 2 * Digest::kSize;
static_assert(kBaseOtCount == kTreeCount * kTreeDepth);

// What the holder has: the key of leaf x of tree r at kLeafCount * r + x.
struct FullTrees {
  SecretBlocks leaf_keys;
  Bytes message;
};

// Threads: pure functions but for `random`
FullTrees MakeTrees(const Digest& sid, const BaseOtSenderKeys& base, RandomSource& random);

// What the requester has. `delta` bit 4 r + b is bit b of the number a_r of the leaf it misses in
// tree r. The keys lie by *distance* from it: the key of leaf x at kLeafCount * r + (x XOR a_r), so
// that what follows needs no secret index; distance 0 holds zeros.
struct PuncturedTrees {
  SecretBlocks leaf_keys;
  SecretBlocks delta;  // one block
};

// In:     message  untrusted, straight from the holder
// Errors: kInvalidArgument  the message has the wrong length
//         kCorrupt          the leaf check of a tree failed; all trees are checked before it says
//                           so, and not which one it was
Result<PuncturedTrees> OpenTrees(const Digest& sid, const BaseOtReceiverKeys& base,
                                 ByteView message);

}  // namespace comity::ot
