// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "crypto/base/result.h"
#include "crypto/sealed/secret_array.h"

namespace comity::sealed {

// Turns an embedding into the canonical template: the int8 vector that is stored, sealed, audited
// and compared. The same on every machine, to the bit.
//
// y = F(D2 F(D1 v)), F the unnormalised Walsh-Hadamard butterfly in the order of strides 1, 2, 4,
// ..., D1 and D2 public signs: bit j (octet j/8, least significant first) of stream(label 7, index
// 1 and 2) under the octets "comity/sealed-v1/rotation" padded with zeros to 32; a bit of 1 is -1.
// x_j = clamp(nearbyint(y_j (alpha / (d |v|))), -127, 127), alpha = 254 sqrt(d) / 11, in binary64
// with round half to even, each operation rounded (no FMA), the norm summed in index order. The
// rotation spreads uneven coordinates, which clipping would ruin otherwise.
//
// Threads: immutable.
// Source:  vectors in tests/vectors/sealed/quantiser.json
class Quantiser {
 public:
  // Errors: kInvalidArgument  d is not 128, 256, 512 or 1024
  static Result<Quantiser> Create(std::size_t dimension);

  // In:     embedding  d x float32, finite, L2 norm in [0.5, 2]
  // Secret: the embedding; no branch or index depends on it but for the refusals
  // Errors: kInvalidArgument  wrong length, not finite, norm out of range, or a result whose
  // squared
  //                           norm is off C = 64516 d / 121 by more than a fiftieth
  Result<SecretArray<std::int8_t>> Quantise(std::span<const float> embedding) const;

  // The vector before it is checked, which is as near to the embedding's direction as it says:
  // residual = | R v/|v| - x / alpha() |, R the rotation of the profile (orthogonal), rounding of
  // binary64 aside. Hence |<v, w>/(|v| |w|) - <x, y>/alpha^2| <= r_v + |x|/alpha r_w.
  struct Approximation {
    SecretArray<std::int8_t> elements;
    double residual = 0;
  };
  // In, Secret: as Quantise
  // Errors: kInvalidArgument  wrong length, not finite, or norm out of range
  Result<Approximation> Approximate(std::span<const float> embedding) const;
  double alpha() const { return alpha_; }

 private:
  explicit Quantiser(std::size_t dimension);
  // The elements before they are rounded.
  Result<SecretArray<double>> Rotate(std::span<const float> embedding) const;

  std::size_t dimension_;
  double alpha_;
  std::vector<double> first_signs_;
  std::vector<double> second_signs_;
};

}  // namespace comity::sealed
