// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace comity {

using Bytes = std::vector<std::uint8_t>;
using ByteView = std::span<const std::uint8_t>;

// The octets of `text`, not copied.
inline ByteView AsBytes(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}
// The octets of `bytes` as text, not copied; no claim that they are UTF-8.
inline std::string_view AsText(ByteView bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}
inline Bytes ToBytes(ByteView view) {
  return Bytes(view.begin(), view.end());
}
inline Bytes ToBytes(std::string_view text) {
  return ToBytes(AsBytes(text));
}

// A SHA-256 value. A type of its own, so that a hash and a key are not confused.
struct Digest {
  static constexpr std::size_t kSize = 32;
  std::array<std::uint8_t, kSize> bytes{};
  auto operator<=>(const Digest&) const = default;
  ByteView view() const { return bytes; }
};

}  // namespace comity
