// SPDX-License-Identifier: Apache-2.0
#include "crypto/sealed/public_matrix.h"

#include "crypto/sealed/expand.h"

namespace comity::sealed {
namespace {

Status CheckSeed(ByteView seed, std::size_t dimension) {
  if (seed.size() != kSeedBytes) {
    return Fail(ErrorCode::kInvalidArgument, "the public seed has 32 octets");
  }
  if (!IsDimension(dimension)) {
    return Fail(ErrorCode::kInvalidArgument, "no such template dimension");
  }
  return {};
}

}  // namespace

Result<PublicMatrix> PublicMatrix::Expand(ByteView seed, std::size_t dimension) {
  COMITY_RETURN_IF_ERROR(CheckSeed(seed, dimension));
  return PublicMatrix(seed, dimension);
}

PublicMatrix::PublicMatrix(ByteView seed, std::size_t dimension)
    : first_(std::make_unique<Transformed>()), elements_(kRingDegree, dimension) {
  constexpr std::size_t kColumns = PlaneMatrix::kChunkColumns;
  std::vector<Element> columns(kColumns);
  ExpandPublic(seed, 0, columns[0]);
  Transform(columns[0], *first_);
  for (std::size_t chunk = 0; chunk < dimension / kColumns; ++chunk) {
    for (std::size_t j = 0; j < kColumns; ++j) {
      ExpandPublic(seed, kColumns * chunk + j + 1, columns[j]);
    }
    elements_.SetChunk(chunk, std::span(columns).first<kColumns>());
  }
}

Result<SealingMatrix> SealingMatrix::Expand(ByteView seed, std::size_t dimension) {
  COMITY_RETURN_IF_ERROR(CheckSeed(seed, dimension));
  return SealingMatrix(seed, dimension);
}

SealingMatrix::SealingMatrix(ByteView seed, std::size_t dimension) : elements_(dimension + 1) {
  Element element;
  for (std::size_t index = 0; index <= dimension; ++index) {
    ExpandPublic(seed, index, element);
    Transform(element, elements_[index]);
  }
}

}  // namespace comity::sealed
