// SPDX-License-Identifier: Apache-2.0
#include "crypto/sealed/seal.h"

#include <algorithm>
#include <array>
#include <numeric>

#include "crypto/base/little_endian.h"
#include "crypto/hash/blake2b.h"
#include "crypto/sealed/expand.h"

namespace comity::sealed {
namespace {

constexpr std::size_t kColumns = PlaneMatrix::kChunkColumns;

ByteView EntryBytes(std::span<const std::int8_t> entries) {
  return {reinterpret_cast<const std::uint8_t*>(entries.data()), entries.size()};
}

// K: everything secret of a block comes from it.
SecretBytes ExpansionKey(const BlockIdentity& identity, ByteView root, std::uint32_t count,
                         const Digest& contents) {
  return hash::KeyedBlake2b256(
      root, {AsBytes("comity/sealed-v1/block"), identity.header.view(),
             LittleEndian<4>(identity.number), LittleEndian<4>(count), contents.view()});
}

SecretArray<std::uint64_t> TransformedSecret(ByteView key) {
  SecretArray<std::int8_t> ternary(kRingDegree);
  ExpandTernary(key, kSecretLabel, ternary.ExposeMutable().first<kRingDegree>());
  SecretArray<std::uint64_t> transformed(kRingDegree);
  TransformTernary(ternary.Expose().first<kRingDegree>(),
                   transformed.ExposeMutable().first<kRingDegree>());
  return transformed;
}

Status CheckEntries(const Profile& profile, const SealingMatrix& matrix,
                    std::span<const std::int8_t> entries) {
  const std::size_t dimension = profile.dimension();
  if (matrix.dimension() != dimension) {
    return Fail(ErrorCode::kInvalidArgument, "the public matrix is of another dimension");
  }
  if (entries.empty() || entries.size() % dimension != 0 ||
      entries.size() / dimension > kRingDegree) {
    return Fail(ErrorCode::kInvalidArgument, "a block has 1 to 1024 whole templates");
  }
  for (std::size_t first = 0; first < entries.size(); first += dimension) {
    COMITY_RETURN_IF_ERROR(CheckTemplate(entries.subspan(first, dimension)));
  }
  return {};
}

// Makes the columns of one block from its expansion key.
class ColumnSealer {
 public:
  ColumnSealer(const SealingMatrix& matrix, ByteView key)
      : matrix_(matrix), key_(key), secret_(TransformedSecret(key)), errors_(kRingDegree) {}

  // a_index s + e_index
  void Mask(std::size_t index, ElementSpan out) {
    MultiplyTransformed(matrix_.element(index), secret_.Expose().first<kRingDegree>(), out);
    ExpandError(key_, kErrorLabel, index, errors_.ExposeMutable().first<kRingDegree>());
    AddSmall(errors_.Expose().first<kRingDegree>(), out);
  }

 private:
  const SealingMatrix& matrix_;
  ByteView key_;
  SecretArray<std::uint64_t> secret_;
  SecretArray<std::int8_t> errors_;
};

// columns[j][i] += delta * coordinate (first + j) of entry i
void AddEntries(std::span<const std::int8_t> entries, std::size_t dimension, std::size_t first,
                std::uint32_t delta, std::span<Element, kColumns> columns) {
  const std::int8_t* from = entries.data() + first;
  const std::size_t count = entries.size() / dimension;
  for (std::size_t i = 0; i < count; ++i, from += dimension) {
    for (std::size_t j = 0; j < kColumns; ++j) {
      std::uint32_t& value = columns[j].data()[i];
      value = (value + delta * static_cast<std::uint32_t>(std::int32_t{from[j]})) & kModulusMask;
    }
  }
}

SealedBlock SealUnder(ByteView key, const Profile& profile, const SealingMatrix& matrix,
                      std::uint32_t number, std::span<const std::int8_t> entries) {
  const std::size_t dimension = profile.dimension();
  SealedBlock block{.number = number, .rows = PlaneMatrix(entries.size() / dimension, dimension)};
  ColumnSealer sealer(matrix, key);
  sealer.Mask(0, block.p);
  // Unused slots are never published: their coefficients are masks without a template.
  SecretArray<Element> buffer(kColumns);
  const auto columns = buffer.ExposeMutable().first<kColumns>();
  for (std::size_t chunk = 0; chunk < dimension / kColumns; ++chunk) {
    for (std::size_t j = 0; j < kColumns; ++j) {
      sealer.Mask(kColumns * chunk + j + 1, columns[j]);
    }
    AddEntries(entries, dimension, kColumns * chunk, profile.delta(), columns);
    block.rows.SetChunk(chunk, columns);
  }
  return block;
}

}  // namespace

Result<SealedWithRoot> Seal(const Profile& profile, const SealingMatrix& matrix,
                            const BlockIdentity& identity, std::span<const std::int8_t> entries,
                            RandomSource& random) {
  COMITY_RETURN_IF_ERROR(CheckEntries(profile, matrix, entries));
  BlockRoot root{.root = SecretBytes(kSeedBytes),
                 .contents = hash::Blake2b256({EntryBytes(entries)}),
                 .count = static_cast<std::uint32_t>(entries.size() / profile.dimension())};
  random.Fill(root.root.ExposeMutable());
  const SecretBytes key = ExpansionKey(identity, root.root.Expose(), root.count, root.contents);
  SealedBlock block = SealUnder(key.Expose(), profile, matrix, identity.number, entries);
  return SealedWithRoot{std::move(block), std::move(root)};
}

Result<Digest> AuditReseal(const Profile& profile, const SealingMatrix& matrix,
                           const BlockIdentity& identity, ByteView root,
                           std::span<const std::int8_t> entries) {
  COMITY_RETURN_IF_ERROR(CheckEntries(profile, matrix, entries));
  if (root.size() != kSeedBytes) {
    return Fail(ErrorCode::kInvalidArgument, "a block root has 32 octets");
  }
  const auto count = static_cast<std::uint32_t>(entries.size() / profile.dimension());
  const SecretBytes key =
      ExpansionKey(identity, root, count, hash::Blake2b256({EntryBytes(entries)}));
  return BlockHash(identity.header,
                   SealUnder(key.Expose(), profile, matrix, identity.number, entries));
}

std::vector<std::uint32_t> RandomSlotOrder(std::uint32_t count, RandomSource& random) {
  std::vector<std::uint32_t> order(count);
  std::iota(order.begin(), order.end(), 0U);
  for (std::uint32_t left = count; left > 1; --left) {
    // A 64-bit number mod left < 2^32 is off uniform by less than 2^-32.
    std::array<std::uint8_t, 8> bytes;
    random.Fill(bytes);
    std::swap(order[left - 1], order[ReadLittleEndian<8>(bytes) % left]);
  }
  return order;
}

Result<BlockSecret> BlockSecret::Derive(const BlockIdentity& identity, const BlockRoot& root) {
  if (root.root.size() != kSeedBytes || root.count < 1 || root.count > kRingDegree) {
    return Fail(ErrorCode::kInvalidArgument, "no root of a block");
  }
  const SecretBytes key = ExpansionKey(identity, root.root.Expose(), root.count, root.contents);
  return BlockSecret(TransformedSecret(key.Expose()));
}

void BlockSecret::Share(TransformedView probe, ElementSpan share) const {
  MultiplyTransformed(probe, secret_.Expose().first<kRingDegree>(), share);
  for (std::uint32_t& value : share) value = (0 - value) & kModulusMask;
}

}  // namespace comity::sealed
