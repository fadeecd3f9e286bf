// SPDX-License-Identifier: Apache-2.0
#include "crypto/base/utf8.h"

#include <algorithm>
#include <array>
#include <cstddef>

namespace comity {
namespace {

bool IsWithin(unsigned char octet, unsigned char low, unsigned char high) {
  return octet >= low && octet <= high;
}

// Octets of the sequence that begins with `lead`; 0 if none does.
std::size_t SequenceSize(unsigned char lead) {
  if (lead < 0x80) return 1;
  if (IsWithin(lead, 0xc2, 0xdf)) return 2;
  if (IsWithin(lead, 0xe0, 0xef)) return 3;
  return IsWithin(lead, 0xf0, 0xf4) ? 4 : 0;
}

// The second octet's range depends on the first: this is what shuts out long forms and surrogates.
bool IsSecond(unsigned char lead, unsigned char octet) {
  switch (lead) {
    case 0xe0:
      return IsWithin(octet, 0xa0, 0xbf);
    case 0xed:
      return IsWithin(octet, 0x80, 0x9f);
    case 0xf0:
      return IsWithin(octet, 0x90, 0xbf);
    case 0xf4:
      return IsWithin(octet, 0x80, 0x8f);
    default:
      return IsWithin(octet, 0x80, 0xbf);
  }
}

}  // namespace

bool IsUtf8(std::string_view text) {
  while (!text.empty()) {
    const auto lead = static_cast<unsigned char>(text.front());
    const std::size_t size = SequenceSize(lead);
    if (size == 0 || size > text.size()) return false;
    if (size > 1 && !IsSecond(lead, static_cast<unsigned char>(text[1]))) return false;
    for (std::size_t i = 2; i < size; ++i) {
      if (!IsWithin(static_cast<unsigned char>(text[i]), 0x80, 0xbf)) return false;
    }
    text.remove_prefix(size);
  }
  return true;
}

bool HasUnicodeSpace(std::string_view text) {
  // U+0085, U+00A0, U+1680, U+2000..U+200A, U+2028, U+2029, U+202F, U+205F, U+3000.
  static constexpr std::array<std::string_view, 19> kSpaces = {
      "\xc2\x85",     "\xc2\xa0",     "\xe1\x9a\x80", "\xe2\x80\x80", "\xe2\x80\x81",
      "\xe2\x80\x82", "\xe2\x80\x83", "\xe2\x80\x84", "\xe2\x80\x85", "\xe2\x80\x86",
      "\xe2\x80\x87", "\xe2\x80\x88", "\xe2\x80\x89", "\xe2\x80\x8a", "\xe2\x80\xa8",
      "\xe2\x80\xa9", "\xe2\x80\xaf", "\xe2\x81\x9f", "\xe3\x80\x80"};
  return std::any_of(kSpaces.begin(), kSpaces.end(), [&](std::string_view space) {
    return text.find(space) != std::string_view::npos;
  });
}

}  // namespace comity
