// SPDX-License-Identifier: Apache-2.0
#include "crypto/ot/softspoken_batch.h"

#include <algorithm>

#include "crypto/base/check.h"
#include "crypto/base/little_endian.h"
#include "crypto/hash/blake2b.h"
#include "crypto/hash/chacha_stream.h"
#include "crypto/ot/column_hash.h"
#include "crypto/ot/correlation_source.h"

namespace comity::ot {
namespace {

// Labels 1 to 7 belong to the sealed list (crypto/sealed); its keys are others, but two uses never
// share a label.
constexpr std::uint32_t kCheckLabel = 16;

Bytes HeaderOf(const BatchPlace& place) {
  Bytes header;
  for (const std::uint64_t number : {place.batch, place.first_ot, place.ots()}) {
    const auto octets = LittleEndian<8>(number);
    header.insert(header.end(), octets.begin(), octets.end());
  }
  return header;
}

}  // namespace

Result<BatchPlace> BatchCounter::Next(std::size_t count) {
  if (count == 0 || count % kBitsABlock != 0 || count > kMaxOtsABatch) {
    return Fail(ErrorCode::kInvalidArgument, "OT batch: the count is out of range");
  }
  const std::uint64_t ots = count + kMaskOts;
  if (ots > kMaxOtNumbers - next_ot_) {
    return Fail(ErrorCode::kExhausted, "OT batch: the session's OT numbers are used up");
  }
  const BatchPlace place{next_batch_, next_ot_, static_cast<std::size_t>(ots / kBitsABlock)};
  ++next_batch_;
  next_ot_ += ots;
  return place;
}

BatchContext MakeBatchContext(const Digest& sid, const Digest& base_transcript,
                              ByteView tree_message) {
  return {sid, hash::Blake2b256({AsBytes("comity/sealed-v1/ot-setup"), sid.view(),
                                 base_transcript.view(), tree_message})};
}

void WriteBatchHeader(const BatchPlace& place, std::span<std::uint8_t> message) {
  std::ranges::copy(HeaderOf(place), message.begin());
}

Status CheckBatchHeader(const BatchPlace& place, ByteView message) {
  if (message.size() != BatchMessageSize(place.blocks)) {
    return Fail(ErrorCode::kInvalidArgument, "OT batch: the message has the wrong length");
  }
  if (!std::ranges::equal(HeaderOf(place), message.first(kBatchHeaderSize))) {
    return Fail(ErrorCode::kConflict, "OT batch: the message belongs to another batch");
  }
  return {};
}

Digest BatchChallenge(const BatchContext& context, const BatchPlace& place, ByteView message) {
  const std::size_t size = BatchMessageSize(place.blocks) - kBatchCheckSize;
  return hash::Blake2b256({AsBytes("comity/sealed-v1/ot-check"), context.sid.view(),
                           context.setup.view(), message.first(size)});
}

std::vector<Block> CheckCoefficients(const Digest& challenge, std::size_t blocks) {
  COMITY_CHECK(blocks >= 2);
  std::vector<Block> coefficients(blocks - 1);
  hash::ExpandStream(challenge.view(), kCheckLabel, 0, AsWritableOctets(coefficients));
  return coefficients;
}

Digest HashOfColumnHashes(const Digest& challenge, std::span<const Block> hashes) {
  COMITY_CHECK(hashes.size() == kColumnCount);
  return hash::Blake2b256(
      {AsBytes("comity/sealed-v1/ot-check-columns"), challenge.view(), AsOctets(hashes)});
}

SecretBlocks HashColumns(std::span<const Block> columns, std::span<const Block> coefficients,
                         Kernel kernel) {
  const std::size_t blocks = coefficients.size() + 1;
  COMITY_CHECK(columns.size() == kColumnCount * blocks);
  SecretBlocks hashes(kColumnCount);
  for (std::size_t j = 0; j < kColumnCount; ++j) {
    hashes.ExposeMutable()[j] =
        HashColumn(columns.subspan(j * blocks, blocks), coefficients, kernel);
  }
  return hashes;
}

}  // namespace comity::ot
