// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "crypto/sealed/ring.h"

namespace comity::sealed {

// An element under the negacyclic number-theoretic transform over p = 68719484929 (36 bits,
// 1 mod 2048), in bit-reversed order, not fully reduced. Of use only to MultiplyTransformed; as
// secret as what it was made from.
using Transformed = std::array<std::uint64_t, kRingDegree>;
using TransformedView = std::span<const std::uint64_t, kRingDegree>;
using TransformedSpan = std::span<std::uint64_t, kRingDegree>;

// All of these are pure functions without a branch or an index that depends on a coefficient.

void Transform(ElementView element, TransformedSpan out);
// In: ternary  each coefficient -1, 0 or 1
void TransformTernary(SmallView ternary, TransformedSpan out);

// out = element * ternary in Z_M[X]/(X^n + 1), exactly: coefficients of the product over the
// integers are below n M = 2^34 in size, so p/2 does not cut them, and they are centred before they
// are taken mod M.
//
// In: element  from Transform;  ternary  from TransformTernary
void MultiplyTransformed(TransformedView element, TransformedView ternary, ElementSpan out);

}  // namespace comity::sealed
