// SPDX-License-Identifier: Apache-2.0
#include "crypto/sealed/sealed_block.h"

#include <algorithm>
#include <array>
#include <vector>

#include "crypto/base/little_endian.h"
#include "crypto/hash/blake2b.h"

namespace comity::sealed {
namespace {

using Header = std::array<std::uint8_t, kBlockHeaderBytes>;

Header EncodeHeader(const SealedBlock& block) {
  Header header;
  const std::array<std::uint32_t, 3> fields = {block.number,
                                               static_cast<std::uint32_t>(block.count()),
                                               static_cast<std::uint32_t>(block.dimension())};
  for (std::size_t i = 0; i < fields.size(); ++i) {
    std::ranges::copy(LittleEndian<4>(fields[i]),
                      header.begin() + static_cast<std::ptrdiff_t>(4 * i));
  }
  return header;
}

}  // namespace

Bytes EncodeSealedBlock(const SealedBlock& block) {
  Bytes bytes(EncodedBlockBytes(block.count(), block.dimension()));
  std::ranges::copy(EncodeHeader(block), bytes.begin());
  const std::span<std::uint8_t> body = std::span(bytes).subspan(kBlockHeaderBytes);
  EncodeElement(block.p, body.first<kElementBytes>());
  const std::size_t row_bytes = block.dimension() * kCoefficientBytes;
  for (std::size_t row = 0; row < block.count(); ++row) {
    block.rows.EncodeRow(row, body.subspan(kElementBytes + row * row_bytes, row_bytes));
  }
  return bytes;
}

Result<SealedBlock> ParseSealedBlock(ByteView bytes, std::size_t dimension, std::uint32_t number) {
  if (!IsDimension(dimension) || bytes.size() < kBlockHeaderBytes) {
    return Fail(ErrorCode::kInvalidArgument, "a sealed block without its header");
  }
  const std::size_t count = ReadLittleEndian<4>(bytes.subspan(4));
  if (ReadLittleEndian<4>(bytes) != number || ReadLittleEndian<4>(bytes.subspan(8)) != dimension ||
      count < 1 || count > kRingDegree) {
    return Fail(ErrorCode::kInvalidArgument, "a sealed block with another header");
  }
  if (bytes.size() != EncodedBlockBytes(count, dimension)) {
    return Fail(ErrorCode::kInvalidArgument, "a sealed block of the wrong length");
  }
  SealedBlock block{.number = number, .rows = PlaneMatrix(count, dimension)};
  const ByteView body = bytes.subspan(kBlockHeaderBytes);
  DecodeElement(body.first<kElementBytes>(), block.p);
  const std::size_t row_bytes = dimension * kCoefficientBytes;
  for (std::size_t row = 0; row < count; ++row) {
    block.rows.SetRow(row, body.subspan(kElementBytes + row * row_bytes, row_bytes));
  }
  return block;
}

Digest BlockHash(const Digest& header, const SealedBlock& block) {
  hash::Blake2b blake(Digest::kSize);
  blake.Update(AsBytes("comity/sealed-v1/block-hash")).Update(header.view());
  blake.Update(EncodeHeader(block));
  std::vector<std::uint8_t> piece(kElementBytes);
  EncodeElement(block.p, std::span(piece).first<kElementBytes>());
  blake.Update(piece);
  piece.resize(block.dimension() * kCoefficientBytes);
  for (std::size_t row = 0; row < block.count(); ++row) {
    block.rows.EncodeRow(row, piece);
    blake.Update(piece);
  }
  Digest digest;
  blake.Finish(digest.bytes);
  return digest;
}

}  // namespace comity::sealed
