// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "crypto/base/bytes.h"
#include "crypto/base/result.h"
#include "crypto/sealed/profile.h"

namespace comity::sealed {

// An element of Z_M[X]/(X^n + 1): coefficient i at [i], in [0, M).
using Element = std::array<std::uint32_t, kRingDegree>;
using ElementView = std::span<const std::uint32_t, kRingDegree>;
using ElementSpan = std::span<std::uint32_t, kRingDegree>;
// An element with small coefficients: ternary, or an error in [-31, 31].
using SmallView = std::span<const std::int8_t, kRingDegree>;
using SmallSpan = std::span<std::int8_t, kRingDegree>;

// The encoding of an element: three octets a coefficient, little-endian, coefficient 0 first.
inline constexpr std::size_t kCoefficientBytes = 3;
inline constexpr std::size_t kElementBytes = kRingDegree * kCoefficientBytes;

// All of these are pure functions, and their time does not depend on the coefficients.

void EncodeElement(ElementView element, std::span<std::uint8_t, kElementBytes> out);
void DecodeElement(std::span<const std::uint8_t, kElementBytes> bytes, ElementSpan out);
// For octets of a peer; every string of the right length is an element.
// Errors: kInvalidArgument  not kElementBytes octets
Status ParseElement(ByteView bytes, ElementSpan out);

// target += addend, mod M.
void AddSmall(SmallView addend, ElementSpan target);
void AddElement(ElementView addend, ElementSpan target);

}  // namespace comity::sealed
