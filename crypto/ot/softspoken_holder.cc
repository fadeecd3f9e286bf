// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <utility>

#include "crypto/base/check.h"
#include "crypto/ot/bit_transpose.h"
#include "crypto/ot/column_hash.h"
#include "crypto/ot/puncturable_tree.h"
#include "crypto/ot/softspoken.h"

namespace comity::ot {

SoftSpokenHolder::SoftSpokenHolder(const Digest& sid, BaseOtSenderKeys base, RandomSource& random,
                                   Kernel kernel)
    : kernel_(kernel) {
  FullTrees full = MakeTrees(sid, base, random);
  for (std::size_t r = 0; r < kTreeCount; ++r) {
    trees_.emplace_back(full.leaf_keys.Expose().subspan(r * kLeafCount, kLeafCount), kernel);
  }
  tree_message_ = std::move(full.message);
  context_ = MakeBatchContext(sid, base.transcript, tree_message_);
}

Result<Bytes> SoftSpokenHolder::Begin(std::size_t count) {
  if (trees_.empty()) return Fail(ErrorCode::kConflict, "OT batch: the source has ended");
  if (open_) return Fail(ErrorCode::kConflict, "OT batch: one is open already");
  COMITY_ASSIGN_OR_RETURN(const BatchPlace place, counter_.Next(count));
  Bytes message(BatchMessageSize(place.blocks));
  WriteBatchHeader(place, message);
  const std::size_t corrections = (kTreeCount - 1) * place.blocks * Block::kSize;
  ExpandTrees(place.first_counter(), place.blocks,
              std::span(message).subspan(kBatchHeaderSize, corrections));

  const Digest challenge = BatchChallenge(context_, place, message);
  const std::vector<Block> coefficients = CheckCoefficients(challenge, place.blocks);
  const Block choice_hash = HashColumn(choices_.Expose(), coefficients, kernel_);
  const SecretBlocks hashes = HashColumns(columns_.Expose(), coefficients, kernel_);
  const Digest digest = HashOfColumnHashes(challenge, hashes.Expose());
  const auto check = message.end() - static_cast<std::ptrdiff_t>(kBatchCheckSize);
  std::ranges::copy(Octets(choice_hash), check);
  std::ranges::copy(digest.view(), check + static_cast<std::ptrdiff_t>(Block::kSize));
  open_ = place;
  read_ = 0;
  return message;
}

void SoftSpokenHolder::ExpandTrees(std::uint64_t first_counter, std::size_t blocks,
                                   std::span<std::uint8_t> corrections) {
  columns_.Reset(kColumnCount * blocks);
  choices_.Reset(blocks);
  const std::size_t size = blocks * Block::kSize;
  for (std::size_t r = 0; r < kTreeCount; ++r) {
    PlaneSpans out{.planes = columns_.ExposeMutable().subspan(r * kTreeDepth * blocks).data(),
                   .stride = blocks,
                   .count = blocks};
    if (r == 0) {
      out.sum = AsWritableOctets(choices_.ExposeMutable());
    } else {
      out.sum = corrections.subspan((r - 1) * size, size);
      out.sum_offset = choices_.Expose();
    }
    trees_[r].Expand(first_counter, out);
  }
}

Result<Bytes> SoftSpokenHolder::Receive(ByteView) {
  trees_.clear();
  columns_ = SecretBlocks();
  choices_ = SecretBlocks();
  open_.reset();
  return Fail(ErrorCode::kConflict, "OT batch: the holder awaits no message");
}

Result<bool> SoftSpokenHolder::Read(HolderRows& rows) {
  if (!open_) return Fail(ErrorCode::kConflict, "OT batch: none is open");
  const std::size_t count = std::min(kRowsAStrip / kBitsABlock, open_->kept() - read_);
  rows.first_ot = open_->first_ot + read_ * kBitsABlock;
  rows.rows.Reset(count * kBitsABlock);
  rows.choices.Reset(count);
  if (count == 0) {
    open_.reset();
    return false;
  }
  TransposeColumns({.columns = &columns_.Expose()[read_], .stride = open_->blocks, .count = count},
                   kernel_, rows.rows.ExposeMutable());
  std::ranges::copy(choices_.Expose().subspan(read_, count), rows.choices.ExposeMutable().begin());
  read_ += count;
  return true;
}

}  // namespace comity::ot
