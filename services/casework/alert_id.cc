// SPDX-License-Identifier: Apache-2.0
#include "services/casework/alert_id.h"

#include <array>
#include <cstdint>
#include <string_view>

namespace comity::casework {

std::string MakeAlertId(RandomSource& random) {
  constexpr std::string_view kAlphabet = "abcdefghijklmnopqrstuvwxyz234567";
  std::array<std::uint8_t, 16> octets{};
  random.Fill(octets);
  std::string id = "a-";
  unsigned bits = 0;
  int held = 0;
  for (const std::uint8_t octet : octets) {
    bits = bits << 8 | octet;
    for (held += 8; held >= 5; held -= 5) id += kAlphabet[bits >> (held - 5) & 31];
  }
  id += kAlphabet[bits << (5 - held) & 31];
  return id;
}

}  // namespace comity::casework
