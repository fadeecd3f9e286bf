// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

#include "crypto/base/bytes.h"

namespace comity::testing {

// What a cheating peer sends in place of an honest message, as an input of a fuzzer says:
//
//   0 | octets                             these octets
//   1 | (place LE16 | octet)...            the honest message, each octet XORed in at its place,
//                                          counted around the end
//   2 | difference LE16, two's complement  the honest message, so much longer (zeros) or shorter
inline Bytes AlteredMessage(ByteView honest, ByteView input) {
  if (input.empty()) return ToBytes(honest);
  const std::size_t mode = input[0] % 3;
  input = input.subspan(1);
  if (mode == 0) return ToBytes(input);
  Bytes message = ToBytes(honest);
  while (mode == 1 && input.size() >= 3 && !message.empty()) {
    const std::size_t place = input[0] | std::size_t{input[1]} << 8;
    message[place % message.size()] ^= input[2];
    input = input.subspan(3);
  }
  if (mode == 2 && input.size() >= 2) {
    const int difference = static_cast<std::int16_t>(input[0] | input[1] << 8);
    const auto size = static_cast<std::ptrdiff_t>(message.size()) + difference;
    message.resize(size < 0 ? 0 : static_cast<std::size_t>(size));
  }
  return message;
}

}  // namespace comity::testing
