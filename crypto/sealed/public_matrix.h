// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "crypto/base/bytes.h"
#include "crypto/base/result.h"
#include "crypto/sealed/ntt.h"
#include "crypto/sealed/plane_matrix.h"

namespace comity::sealed {

inline constexpr std::size_t kSeedBytes = 32;

// The public elements a_0 .. a_d of one epoch as probes need them: a_0 for blinding, a_1 .. a_d to
// combine. 3 n d + 8 n octets of memory.
//
// Threads: immutable.
class PublicMatrix {
 public:
  // In:     seed  32 octets, the public seed of the list's header
  // Errors: kInvalidArgument  another length, or no template dimension
  static Result<PublicMatrix> Expand(ByteView seed, std::size_t dimension);

  std::size_t dimension() const { return elements_.columns(); }
  TransformedView first() const { return *first_; }          // a_0
  const PlaneMatrix& elements() const { return elements_; }  // row i: coefficient i of a_1 .. a_d

 private:
  PublicMatrix(ByteView seed, std::size_t dimension);
  std::unique_ptr<Transformed> first_;
  PlaneMatrix elements_;
};

// The same elements as sealing needs them: all transformed. 8 n (d + 1) octets of memory (4 MB at
// d = 512), so the holder keeps one for as long as it seals blocks of an epoch.
//
// Threads: immutable.
class SealingMatrix {
 public:
  // As PublicMatrix::Expand.
  static Result<SealingMatrix> Expand(ByteView seed, std::size_t dimension);

  std::size_t dimension() const { return elements_.size() - 1; }
  TransformedView element(std::size_t index) const { return elements_[index]; }  // a_index

 private:
  SealingMatrix(ByteView seed, std::size_t dimension);
  std::vector<Transformed> elements_;
};

}  // namespace comity::sealed
