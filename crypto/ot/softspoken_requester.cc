// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <utility>

#include "crypto/base/check.h"
#include "crypto/base/secret.h"
#include "crypto/ot/bit_transpose.h"
#include "crypto/ot/puncturable_tree.h"
#include "crypto/ot/softspoken.h"

namespace comity::ot {

Result<SoftSpokenRequester> SoftSpokenRequester::Create(const Digest& sid, BaseOtReceiverKeys base,
                                                        ByteView tree_message, Kernel kernel) {
  COMITY_ASSIGN_OR_RETURN(PuncturedTrees trees, OpenTrees(sid, base, tree_message));
  return SoftSpokenRequester(MakeBatchContext(sid, base.transcript, tree_message), trees.leaf_keys,
                             std::move(trees.delta), kernel);
}

SoftSpokenRequester::SoftSpokenRequester(BatchContext context, const SecretBlocks& leaf_keys,
                                         SecretBlocks delta, Kernel kernel)
    : context_(context), kernel_(kernel), delta_(std::move(delta)) {
  for (std::size_t r = 0; r < kTreeCount; ++r) {
    trees_.emplace_back(leaf_keys.Expose().subspan(r * kLeafCount, kLeafCount), kernel);
  }
}

Result<Bytes> SoftSpokenRequester::Begin(std::size_t count) {
  if (delta_.empty()) return Fail(ErrorCode::kConflict, "OT batch: the source has ended");
  if (open_) return Fail(ErrorCode::kConflict, "OT batch: one is open already");
  COMITY_ASSIGN_OR_RETURN(open_, counter_.Next(count));
  received_ = false;
  read_ = 0;
  return Bytes();
}

Result<Bytes> SoftSpokenRequester::Receive(ByteView message) {
  if (delta_.empty()) return Fail(ErrorCode::kConflict, "OT batch: the source has ended");
  const Status accepted = Accept(message);
  if (!accepted) {
    End();
    return Fail(accepted.error());
  }
  received_ = true;
  return Bytes();
}

Status SoftSpokenRequester::Accept(ByteView message) {
  if (!open_ || received_) {
    return Fail(ErrorCode::kConflict, "OT batch: no message is awaited");
  }
  COMITY_RETURN_IF_ERROR(CheckBatchHeader(*open_, message));
  const std::size_t corrections = message.size() - kBatchHeaderSize - kBatchCheckSize;
  ExpandTrees(open_->first_counter(), open_->blocks,
              message.subspan(kBatchHeaderSize, corrections));
  if (!CheckHolds(message, open_->blocks)) {
    return Fail(ErrorCode::kCorrupt, "OT batch: the consistency check failed");
  }
  return {};
}

void SoftSpokenRequester::ExpandTrees(std::uint64_t first_counter, std::size_t blocks,
                                      ByteView corrections) {
  columns_.Reset(kColumnCount * blocks);
  const Block& delta = delta_.Expose()[0];
  const std::size_t size = blocks * Block::kSize;
  for (std::size_t r = 0; r < kTreeCount; ++r) {
    PlaneSpans out{.planes = columns_.ExposeMutable().subspan(r * kTreeDepth * blocks).data(),
                   .stride = blocks,
                   .count = blocks};
    if (r != 0) {
      const std::uint64_t half = r < kTreeCount / 2 ? delta.low : delta.high;
      out.correction = corrections.subspan((r - 1) * size, size);
      out.correction_planes = half >> (kTreeDepth * (r % 16)) & (kLeafCount - 1);
    }
    trees_[r].Expand(first_counter, out);
  }
}

bool SoftSpokenRequester::CheckHolds(ByteView message, std::size_t blocks) {
  const Digest challenge = BatchChallenge(context_, *open_, message);
  const std::vector<Block> coefficients = CheckCoefficients(challenge, blocks);
  SecretBlocks hashes = HashColumns(columns_.Expose(), coefficients, kernel_);
  const ByteView check = message.last(kBatchCheckSize);
  const Block choice_hash = LoadBlock(check);
  for (std::size_t j = 0; j < kColumnCount; ++j) {
    hashes.ExposeMutable()[j] ^= choice_hash & BlockMaskOf(BitOf(delta_.Expose()[0], j));
  }
  // The session ends if not, and the holder sees that.
  return Declassify(ConstantTimeEqual(HashOfColumnHashes(challenge, hashes.Expose()).view(),
                                      check.subspan(Block::kSize)));
}

Result<bool> SoftSpokenRequester::Read(RequesterRows& rows) {
  if (delta_.empty()) return Fail(ErrorCode::kConflict, "OT batch: the source has ended");
  if (!open_ || !received_) {
    return Fail(ErrorCode::kConflict, "OT batch: the holder's message has not come");
  }
  const std::size_t count = std::min(kRowsAStrip / kBitsABlock, open_->kept() - read_);
  rows.first_ot = open_->first_ot + read_ * kBitsABlock;
  rows.rows.Reset(count * kBitsABlock);
  rows.delta.Reset(1);
  rows.delta.ExposeMutable()[0] = delta_.Expose()[0];
  if (count == 0) {
    open_.reset();
    return false;
  }
  TransposeColumns({.columns = &columns_.Expose()[read_], .stride = open_->blocks, .count = count},
                   kernel_, rows.rows.ExposeMutable());
  read_ += count;
  return true;
}

void SoftSpokenRequester::End() {
  delta_ = SecretBlocks();
  columns_ = SecretBlocks();
  trees_.clear();
  open_.reset();
}

}  // namespace comity::ot
