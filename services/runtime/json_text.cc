// SPDX-License-Identifier: Apache-2.0
#include "services/runtime/json_text.h"

#include <fmt/format.h>

#include <cstdint>
#include <iterator>

namespace comity::runtime {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";  // U+FFFD
constexpr std::string_view kEllipsis = "\xE2\x80\xA6";     // U+2026

// What the first octet of a character allows (Unicode 15, table 3-7).
struct Lead {
  std::size_t length = 0;  // 0: cannot start a character
  std::uint8_t second_low = 0x80;
  std::uint8_t second_high = 0xBF;
};

Lead LeadOf(std::uint8_t octet) {
  if (octet < 0x80) return {1};
  if (octet < 0xC2) return {0};
  if (octet < 0xE0) return {2};
  if (octet == 0xE0) return {3, 0xA0, 0xBF};
  if (octet == 0xED) return {3, 0x80, 0x9F};  // no surrogates
  if (octet < 0xF0) return {3};
  if (octet == 0xF0) return {4, 0x90, 0xBF};
  if (octet < 0xF4) return {4};
  if (octet == 0xF4) return {4, 0x80, 0x8F};
  return {0};
}

// Length of the well-formed character at the start of `text`, or 0.
std::size_t CharacterLength(std::string_view text) {
  const Lead lead = LeadOf(static_cast<std::uint8_t>(text[0]));
  if (lead.length == 0 || lead.length > text.size()) return 0;
  for (std::size_t i = 1; i < lead.length; ++i) {
    const auto octet = static_cast<std::uint8_t>(text[i]);
    const std::uint8_t low = i == 1 ? lead.second_low : 0x80;
    const std::uint8_t high = i == 1 ? lead.second_high : 0xBF;
    if (octet < low || octet > high) return 0;
  }
  return lead.length;
}

void AppendAscii(std::string& line, char character) {
  if (character == '"' || character == '\\') {
    line += '\\';
    line += character;
  } else if (static_cast<std::uint8_t>(character) < 0x20 || character == 0x7F) {
    fmt::format_to(std::back_inserter(line), "\\u{:04x}", static_cast<unsigned>(character));
  } else {
    line += character;
  }
}

}  // namespace

void AppendJsonText(std::string& line, std::string_view text, std::size_t max_bytes) {
  std::size_t at = 0;
  while (at < text.size()) {
    const std::size_t length = CharacterLength(text.substr(at));
    if (at + (length == 0 ? 1 : length) > max_bytes) {
      line += kEllipsis;
      return;
    }
    if (length == 1) {
      AppendAscii(line, text[at]);
    } else {
      line += length == 0 ? kReplacement : text.substr(at, length);
    }
    at += length == 0 ? 1 : length;
  }
}

}  // namespace comity::runtime
