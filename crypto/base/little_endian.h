// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "crypto/base/bytes.h"
#include "crypto/base/check.h"

namespace comity {

// Integers as they stand in messages and in hash inputs: fixed width, least octet first.
template <std::size_t kWidth>
constexpr std::array<std::uint8_t, kWidth> LittleEndian(std::uint64_t value) {
  static_assert(kWidth <= 8);
  std::array<std::uint8_t, kWidth> octets{};
  for (std::size_t i = 0; i < kWidth; ++i) octets[i] = static_cast<std::uint8_t>(value >> (8 * i));
  return octets;
}

// In: octets  at least kWidth; the first kWidth are read
template <std::size_t kWidth>
std::uint64_t ReadLittleEndian(ByteView octets) {
  static_assert(kWidth <= 8);
  COMITY_CHECK(octets.size() >= kWidth);
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < kWidth; ++i) value |= std::uint64_t{octets[i]} << (8 * i);
  return value;
}

}  // namespace comity
