// SPDX-License-Identifier: Apache-2.0
#include "crypto/base/quote.h"

namespace comity {

std::string Quote(std::string_view untrusted, std::size_t max_size) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string quoted = "'";
  for (const char c : untrusted.substr(0, max_size)) {
    if (c >= 0x20 && c < 0x7f && c != '\'' && c != '\\') {
      quoted += c;
      continue;
    }
    const auto octet = static_cast<unsigned char>(c);
    quoted += "\\x";
    quoted += kDigits[octet >> 4U];
    quoted += kDigits[octet & 15U];
  }
  quoted += untrusted.size() > max_size ? "...'" : "'";
  return quoted;
}

}  // namespace comity
