// SPDX-License-Identifier: Apache-2.0
#include "services/store/postgres/statement_text.h"

#include <cctype>
#include <cstddef>

namespace comity::store {
namespace {

bool IsDigit(char c) {
  return c >= '0' && c <= '9';
}
bool IsWord(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
}

}  // namespace

std::string ToPostgres(std::string_view sql) {
  std::string text;
  int next = 1;
  bool quoted = false;
  for (std::size_t i = 0; i < sql.size(); ++i) {
    const char c = sql[i];
    const bool starts_word = i == 0 || !IsWord(sql[i - 1]);
    if (c == '\'') quoted = !quoted;  // '' within closes and opens
    if (quoted || c == '\'') {
      text += c;
    } else if (c == '?') {
      text += '$';
      if (i + 1 == sql.size() || !IsDigit(sql[i + 1])) text += std::to_string(next++);
    } else if (starts_word && sql.substr(i, 3) == "x''") {
      text += "'\\x'::bytea";
      i += 2;
    } else {
      text += c;
    }
  }
  return text;
}

}  // namespace comity::store
