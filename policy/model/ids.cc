// SPDX-License-Identifier: Apache-2.0
#include "policy/model/ids.h"

#include <algorithm>

namespace comity::policy {

bool IsWellFormedId(std::string_view text) {
  constexpr std::size_t kMaxLength = 64;
  const auto is_letter = [](char c) { return c >= 'a' && c <= 'z'; };
  const auto is_allowed = [&](char c) {
    return is_letter(c) || (c >= '0' && c <= '9') || c == '-';
  };
  return !text.empty() && text.size() <= kMaxLength && is_letter(text.front()) &&
         text.back() != '-' && std::all_of(text.begin(), text.end(), is_allowed);
}

}  // namespace comity::policy
