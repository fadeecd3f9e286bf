// SPDX-License-Identifier: Apache-2.0
#include "crypto/base/random_id.h"

#include <array>
#include <cstddef>
#include <cstdint>

namespace comity {
namespace {

constexpr std::string_view kAlphabet = "abcdefghijklmnopqrstuvwxyz234567";
constexpr std::size_t kLength = 26;

}  // namespace

std::string RandomId(RandomSource& random) {
  std::array<std::uint8_t, 16> octets{};
  random.Fill(octets);
  std::string text;
  std::uint32_t bits = 0;
  int held = 0;
  for (const std::uint8_t octet : octets) {
    bits = bits << 8 | octet;
    for (held += 8; held >= 5; held -= 5) text += kAlphabet[bits >> (held - 5) & 31];
  }
  text += kAlphabet[bits << (5 - held) & 31];
  return text;
}

bool IsRandomId(std::string_view text) {
  return text.size() == kLength && text.find_first_not_of(kAlphabet) == std::string_view::npos;
}

}  // namespace comity
