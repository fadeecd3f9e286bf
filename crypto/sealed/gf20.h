// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace comity::sealed::gf20 {

// GF(2^20) with the polynomial x^20 + x^3 + 1; bit i of an element is the coefficient of x^i.
inline constexpr unsigned kBits = 20;
inline constexpr std::uint32_t kMask = (1U << kBits) - 1;

// In: a, b  below 2^20
constexpr std::uint32_t Multiply(std::uint32_t a, std::uint32_t b) {
  std::uint64_t product = 0;
  for (unsigned bit = 0; bit < kBits; ++bit) {
    product ^= (std::uint64_t{a} << bit) & (0 - std::uint64_t{b >> bit & 1});
  }
  // x^20 = x^3 + 1, twice: the first pass leaves at most degree 21.
  for (int pass = 0; pass < 2; ++pass) {
    const std::uint64_t high = product >> kBits;
    product = (product & kMask) ^ high ^ (high << 3);
  }
  return static_cast<std::uint32_t>(product);
}

// 1/a as a^(2^20 - 2); 0 for 0.
constexpr std::uint32_t Inverse(std::uint32_t a) {
  std::uint32_t inverse = 1;
  for (unsigned bit = 1; bit < kBits; ++bit) {
    a = Multiply(a, a);
    inverse = Multiply(inverse, a);
  }
  return inverse;
}

}  // namespace comity::sealed::gf20
