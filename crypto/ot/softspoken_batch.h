// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "crypto/base/bytes.h"
#include "crypto/base/result.h"
#include "crypto/ot/block.h"
#include "crypto/ot/kernel.h"
#include "crypto/ot/leaf_expansion.h"

namespace comity::ot {

// The message of a SoftSpoken batch and its consistency check. All integers little-endian.
//
//   octets 0..7      batch number, from 0
//   octets 8..15     number of the batch's first OT
//   octets 16..23    L, OTs of the batch, the 128 of the mask among them
//   31 * L/8 octets  corrections c^1 .. c^31, bit t of each for OT first + t
//   16 octets        u~
//   32 octets        BLAKE2b-256("comity/sealed-v1/ot-check-columns" | challenge | v~_0 | ..
//                    | v~_127)
//
//   challenge = BLAKE2b-256("comity/sealed-v1/ot-check" | sid | set-up digest | octets 0..23
//               | corrections)
//   set-up digest = BLAKE2b-256("comity/sealed-v1/ot-setup" | sid | base OT transcript
//               | tree message)
//   chi_0 .. chi_(m-1) = stream(challenge, label 16, index 0) of chacha_stream.h, m = L/128 - 1
//   u~ and v~_j: HashColumn of u and of column j of V under these chi
//
// The requester computes w~_j of its columns; an honest holder has w~_j = v~_j XOR Delta_j u~, so
// the requester knows what v~ must be and compares the hash. Sending the hash of V's columns in
// place of them is sound because the requester computes the one value that passes.
//
// Parameters: 128-bit universal hash (2^-128-almost uniform). Two different u^r collide for a
// challenge with probability 2^-128; over 32 * 31 / 2 pairs and Q challenges that a cheating holder
// can try offline (the challenge is non-interactive) that is Q * 2^-119. For trees that do not
// collide the holder must guess the four bits of Delta of every tree outside one class of equal
// u^r. The 128 OTs of the mask have coefficient 1 in the hash, so u~ is uniform for the requester.
// u~ and v~ are bound to sid, base OTs, trees, batch number and OT numbers through the challenge.
//
// Source: Roy, CRYPTO 2022 (eprint 2022/192), Figure 9 and Theorem 4.5 for the repetition code of
//         length 32 over GF(16); section 4.1 on why row-wise checks lack a proof. The
//         non-interactive challenge and the hash of V~ are those of FAEST (Baum et al., CRYPTO
//         2023).
inline constexpr std::size_t kBatchHeaderSize = 24;
inline constexpr std::size_t kBatchCheckSize = Block::kSize + Digest::kSize;
inline constexpr std::size_t kMaskOts = kBitsABlock;

// Octets of the message of a batch of `blocks` blocks a column.
constexpr std::size_t BatchMessageSize(std::size_t blocks) {
  return kBatchHeaderSize + (kTreeCount - 1) * blocks * Block::kSize + kBatchCheckSize;
}

// What one batch is called by.
struct BatchPlace {
  std::uint64_t batch = 0;
  std::uint64_t first_ot = 0;
  std::size_t blocks = 0;  // L/128, the mask's among them

  std::uint64_t ots() const { return std::uint64_t{kBitsABlock} * blocks; }
  std::uint64_t first_counter() const { return first_ot / kBitsABlock; }
  // Blocks a column without the mask's.
  std::size_t kept() const { return blocks - kMaskOts / kBitsABlock; }
};

// Gives every batch its numbers. Numbers never come back, whatever becomes of the batch.
class BatchCounter {
 public:
  // In:     count  OTs wanted, without the mask
  // Errors: kInvalidArgument  count is 0, not a multiple of 128 or above kMaxOtsABatch
  //         kExhausted        the session's OT numbers do not suffice
  Result<BatchPlace> Next(std::size_t count);

 private:
  std::uint64_t next_batch_ = 0;
  std::uint64_t next_ot_ = 0;
};

// What every challenge of a session depends on.
struct BatchContext {
  Digest sid;
  Digest setup;
};
BatchContext MakeBatchContext(const Digest& sid, const Digest& base_transcript,
                              ByteView tree_message);

void WriteBatchHeader(const BatchPlace& place, std::span<std::uint8_t> message);
// Errors: kInvalidArgument  the message has not the length that `place` asks for
//         kConflict         it belongs to another batch
Status CheckBatchHeader(const BatchPlace& place, ByteView message);

// In: message  header and corrections are read, the rest is not
Digest BatchChallenge(const BatchContext& context, const BatchPlace& place, ByteView message);
// chi_0 .. chi_(blocks - 2)
std::vector<Block> CheckCoefficients(const Digest& challenge, std::size_t blocks);
// In: hashes  v~, kColumnCount blocks
Digest HashOfColumnHashes(const Digest& challenge, std::span<const Block> hashes);
// The hashes of kColumnCount columns of as many blocks as there are coefficients, and one.
SecretBlocks HashColumns(std::span<const Block> columns, std::span<const Block> coefficients,
                         Kernel kernel);

}  // namespace comity::ot
