// SPDX-License-Identifier: Apache-2.0
#include "crypto/sealed/ring.h"

namespace comity::sealed {

void EncodeElement(ElementView element, std::span<std::uint8_t, kElementBytes> out) {
  std::uint8_t* to = out.data();
  for (const std::uint32_t value : element) {
    to[0] = static_cast<std::uint8_t>(value);
    to[1] = static_cast<std::uint8_t>(value >> 8);
    to[2] = static_cast<std::uint8_t>(value >> 16);
    to += kCoefficientBytes;
  }
}

void DecodeElement(std::span<const std::uint8_t, kElementBytes> bytes, ElementSpan out) {
  const std::uint8_t* from = bytes.data();
  for (std::uint32_t& value : out) {
    value = std::uint32_t{from[0]} | std::uint32_t{from[1]} << 8 | std::uint32_t{from[2]} << 16;
    from += kCoefficientBytes;
  }
}

Status ParseElement(ByteView bytes, ElementSpan out) {
  if (bytes.size() != kElementBytes) {
    return Fail(ErrorCode::kInvalidArgument, "a ring element of the wrong length");
  }
  DecodeElement(bytes.first<kElementBytes>(), out);
  return {};
}

void AddSmall(SmallView addend, ElementSpan target) {
  const std::int8_t* from = addend.data();
  std::uint32_t* to = target.data();
  for (std::size_t i = 0; i < kRingDegree; ++i) {
    to[i] = (to[i] + static_cast<std::uint32_t>(std::int32_t{from[i]})) & kModulusMask;
  }
}

void AddElement(ElementView addend, ElementSpan target) {
  const std::uint32_t* from = addend.data();
  std::uint32_t* to = target.data();
  for (std::size_t i = 0; i < kRingDegree; ++i) to[i] = (to[i] + from[i]) & kModulusMask;
}

}  // namespace comity::sealed
