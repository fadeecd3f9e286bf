// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "crypto/base/bytes.h"
#include "crypto/base/check.h"

namespace comity::ot {

// Integers as they stand in messages and in hash inputs: fixed width, least octet first.
template <std::size_t kWidth>
std::array<std::uint8_t, kWidth> LittleEndian(std::uint64_t value) {
  static_assert(kWidth <= 8);
  std::array<std::uint8_t, kWidth> octets{};
  for (std::size_t i = 0; i < kWidth; ++i) octets[i] = static_cast<std::uint8_t>(value >> (8 * i));
  return octets;
}

// In: octets  at least 8; the first 8 are read
inline std::uint64_t ReadLittleEndian64(ByteView octets) {
  COMITY_CHECK(octets.size() >= 8);
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < 8; ++i) value |= std::uint64_t{octets[i]} << (8 * i);
  return value;
}

}  // namespace comity::ot
