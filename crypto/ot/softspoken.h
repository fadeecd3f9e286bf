// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "crypto/base/bytes.h"
#include "crypto/base/random.h"
#include "crypto/base/result.h"
#include "crypto/ot/base_ot.h"
#include "crypto/ot/correlation_source.h"
#include "crypto/ot/kernel.h"
#include "crypto/ot/leaf_expansion.h"
#include "crypto/ot/softspoken_batch.h"

namespace comity::ot {

// SoftSpoken OT extension, k = 4, secure against either party cheating: 32 trees of 16 leaves from
// 128 base OTs (puncturable_tree.h), 128-bit rows, 31/8 octets an OT on the wire.
//
// For a batch of L OTs and tree r, with the leaf strings of leaf_expansion.h:
//   holder     u^r = XOR_x PRG_x,  v^r_b = XOR_{x: bit b of x} PRG_x;  choices u = u^0, column
//              4 r + b of V is v^r_b;  sends the corrections c^r = u^r XOR u^0 for r = 1..31
//   requester  w^r_b = XOR_{x != a_r} bit b of (x XOR a_r) PRG_x  =  v^r_b XOR (bit b of a_r) u^r;
//              adds (bit b of a_r) c^r;  column 4 r + b of W is w^r_b
//   hence      W_i = V_i XOR u_i * Delta for every OT i.
//
// Then the consistency check of softspoken_batch.h, every batch. It fails for the requester alone.
//
// One message a batch, holder to requester; the requester never answers. The last 128 OTs of a
// batch hide what the check opens and are dropped, their numbers are used up.
//
// Secret:  leaves, Delta, rows, choices; wiped with the object, or at the first error
// Leaks:   the requester learns nothing. A lying holder that guesses n bits of Delta right, at
//          trees of its choice, passes with probability 2^-n and then knows them; a failed check
//          tells it that the guess was wrong: the session ends, its Delta is gone, and the caller
//          must raise an alarm and stop the pair's other sessions.
// Threads: thread-compatible
// Source:  Roy, CRYPTO 2022 (eprint 2022/192), sections 3 and 4; vectors in
//          tests/vectors/sealed/softspoken.json
class SoftSpokenHolder final : public HolderSource {
 public:
  // Makes the trees. Uses the base keys up.
  SoftSpokenHolder(const Digest& sid, BaseOtSenderKeys base, RandomSource& random, Kernel kernel);

  // The tree message, kTreeMessageSize octets, to be sent once before the first batch.
  const Bytes& tree_message() const { return tree_message_; }

  Result<Bytes> Begin(std::size_t count) override;
  // No message is due: always fails, and ends the source.
  Result<Bytes> Receive(ByteView message) override;
  Result<bool> Read(HolderRows& rows) override;

 private:
  void ExpandTrees(std::uint64_t first_counter, std::size_t blocks,
                   std::span<std::uint8_t> corrections);

  BatchContext context_;
  Kernel kernel_;
  Bytes tree_message_;
  std::vector<LeafExpansion> trees_;  // empty once ended
  BatchCounter counter_;
  std::optional<BatchPlace> open_;
  std::size_t read_ = 0;  // blocks of the open batch that were given out
  SecretBlocks columns_;  // V by columns; kept from batch to batch
  SecretBlocks choices_;  // u, with the mask's
};

class SoftSpokenRequester final : public RequesterSource {
 public:
  // In:     tree_message  untrusted, straight from the holder
  // Errors: those of OpenTrees
  static Result<SoftSpokenRequester> Create(const Digest& sid, BaseOtReceiverKeys base,
                                            ByteView tree_message, Kernel kernel);
  SoftSpokenRequester(SoftSpokenRequester&&) noexcept = default;
  SoftSpokenRequester& operator=(SoftSpokenRequester&&) noexcept = default;

  // Begin and Receive give no message.
  Result<Bytes> Begin(std::size_t count) override;
  Result<Bytes> Receive(ByteView message) override;
  Result<bool> Read(RequesterRows& rows) override;

 private:
  SoftSpokenRequester(BatchContext context, const SecretBlocks& leaf_keys, SecretBlocks delta,
                      Kernel kernel);
  Status Accept(ByteView message);
  void ExpandTrees(std::uint64_t first_counter, std::size_t blocks, ByteView corrections);
  bool CheckHolds(ByteView message, std::size_t blocks);
  void End();

  BatchContext context_;
  Kernel kernel_;
  SecretBlocks delta_;  // empty once ended
  std::vector<LeafExpansion> trees_;
  BatchCounter counter_;
  std::optional<BatchPlace> open_;
  std::size_t read_ = 0;  // blocks of the open batch that were given out
  bool received_ = false;
  SecretBlocks columns_;  // W by columns; kept from batch to batch
};

}  // namespace comity::ot
