// SPDX-License-Identifier: Apache-2.0
#include "policy/check/bare_purpose.h"

#include <algorithm>
#include <array>
#include <string>

namespace comity::policy {
namespace {

// Words that make no purpose, alone or together.
constexpr std::array<std::string_view, 34> kEmptyWords = {
    "a",           "all",    "and",      "any",         "anything",   "crime",         "data",
    "enforcement", "for",    "general",  "in",          "law",        "lawful",        "legal",
    "misc",        "of",     "official", "operational", "or",         "other",         "police",
    "policing",    "public", "purpose",  "purposes",    "safety",     "search",        "security",
    "sharing",     "the",    "use",      "various",     "everything", "miscellaneous",
};

}  // namespace

bool IsBarePurpose(std::string_view text) {
  std::string word;
  const auto is_empty_word = [&] {
    return word.empty() ||
           std::find(kEmptyWords.begin(), kEmptyWords.end(), word) != kEmptyWords.end();
  };
  for (const char c : text) {
    const bool upper = c >= 'A' && c <= 'Z';
    if (upper || (c >= 'a' && c <= 'z')) {
      word += upper ? static_cast<char>(c - 'A' + 'a') : c;
      continue;
    }
    // A digit or a letter beyond ASCII says something; anything else separates words.
    if ((c >= '0' && c <= '9') || static_cast<unsigned char>(c) >= 0x80) return false;
    if (!is_empty_word()) return false;
    word.clear();
  }
  return is_empty_word();
}

}  // namespace comity::policy
