// SPDX-License-Identifier: Apache-2.0
#include "policy/agreement/document_text.h"

#include <array>
#include <cstdint>
#include <cstdio>
#include <optional>
#include <string>
#include <utility>

#include "policy/agreement/document.h"

namespace comity::policy {
namespace {

struct Character {
  char32_t code = 0;
  std::size_t size = 0;  // octets
};

// The first character of `text`; nothing if it is not the shortest UTF-8 form of a Unicode scalar.
std::optional<Character> FirstCharacter(std::string_view text) {
  const auto octet = [&](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
  if (octet(0) < 0x80) return Character{octet(0), 1};
  const std::size_t size = octet(0) >= 0xf0 ? 4 : octet(0) >= 0xe0 ? 3 : 2;
  if (octet(0) < 0xc2 || octet(0) > 0xf4 || text.size() < size) return std::nullopt;
  char32_t code = octet(0) & (0x7fU >> size);
  for (std::size_t i = 1; i < size; ++i) {
    if ((octet(i) & 0xc0) != 0x80) return std::nullopt;
    code = code << 6 | (octet(i) & 0x3fU);
  }
  constexpr std::array<char32_t, 5> kSmallest = {0, 0, 0x80, 0x800, 0x10000};
  const bool surrogate = code >= 0xd800 && code <= 0xdfff;
  if (code < kSmallest[size] || code > 0x10ffff || surrogate) return std::nullopt;
  return Character{code, size};
}

bool IsInvisible(char32_t code) {
  constexpr std::array<std::pair<char32_t, char32_t>, 12> kRanges = {{
      {0x00, 0x1f},        // C0 controls
      {0x7f, 0x9f},        // DEL, C1 controls with NEL, a line break in YAML 1.1
      {0xad, 0xad},        // soft hyphen
      {0x61c, 0x61c},      // Arabic letter mark
      {0x180e, 0x180e},    // Mongolian vowel separator
      {0x200b, 0x200f},    // zero width, direction marks
      {0x2028, 0x202e},    // line and paragraph separators, bidirectional embedding
      {0x2060, 0x206f},    // word joiner, bidirectional isolates
      {0xfeff, 0xfeff},    // byte order mark
      {0xfff9, 0xfffb},    // interlinear annotation
      {0xfffe, 0xffff},    // not characters
      {0xe0000, 0xe0fff},  // tags, variation selectors
  }};
  for (const auto& [first, last] : kRanges) {
    if (code >= first && code <= last) return true;
  }
  return false;
}

std::string NotAllowed(char32_t code) {
  if (code == '\t') return "a tab is not allowed; indent with spaces";
  if (code == '\r') return "a carriage return is not allowed; lines end with a line feed only";
  if (code == 0xfeff) return "a byte order mark is not allowed";
  std::array<char, 16> name{};
  std::snprintf(name.data(), name.size(), "U+%04X", static_cast<unsigned>(code));
  return "the control or invisible character " + std::string(name.data()) + " is not allowed";
}

void CheckLineStart(std::string_view rest, Position at, IssueLog& issues) {
  if (rest.starts_with("---") || rest.starts_with("...")) {
    issues.Add(at, "", "document markers are not allowed: the file is one document");
  } else if (rest.starts_with("%")) {
    issues.Add(at, "", "directives are not allowed");
  }
}

}  // namespace

void CheckDocumentText(std::string_view yaml, IssueLog& issues) {
  if (yaml.size() > kMaxDocumentBytes) {
    issues.Add({}, "", "the document has more than 256 KiB");
    return;
  }
  Position at{1, 1};
  while (!yaml.empty()) {
    if (at.column == 1) CheckLineStart(yaml, at, issues);
    const auto character = FirstCharacter(yaml);
    if (!character) {
      issues.Add(at, "", "not UTF-8");
      return;
    }
    yaml.remove_prefix(character->size);
    if (character->code == '\n') {
      at = {at.line + 1, 1};
      continue;
    }
    if (IsInvisible(character->code)) issues.Add(at, "", NotAllowed(character->code));
    at.column += static_cast<int>(character->size);
  }
}

bool IsVisibleText(std::string_view text) {
  while (!text.empty()) {
    const auto character = FirstCharacter(text);
    if (!character || IsInvisible(character->code)) return false;
    text.remove_prefix(character->size);
  }
  return true;
}

}  // namespace comity::policy
