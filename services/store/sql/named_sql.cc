// SPDX-License-Identifier: Apache-2.0
#include "services/store/sql/named_sql.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <system_error>

#include "crypto/base/check.h"

namespace comity::store {
namespace {

constexpr std::string_view kNumber = "number";

std::optional<StoredValue> ParsePart(std::string_view name, std::string_view part) {
  if (name != kNumber) return StoredValue(std::string(part));
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(part.data(), part.data() + part.size(), number);
  if (error != std::errc() || end != part.data() + part.size()) return std::nullopt;
  return StoredValue(number);
}

}  // namespace

NamedSql::NamedSql(std::string_view text) {
  while (!text.empty()) {
    const std::size_t colon = std::min(text.find(':'), text.size());
    sql_ += text.substr(0, colon);
    text.remove_prefix(colon);
    if (text.empty()) return;
    const std::size_t end =
        std::min(text.find_first_not_of("abcdefghijklmnopqrstuvwxyz", 1), text.size());
    names_.emplace_back(text.substr(1, end - 1));
    sql_ += '?';
    text.remove_prefix(end);
  }
}

std::vector<StoredValue> NamedSql::Arguments(const NamedValues& values) const {
  std::vector<StoredValue> arguments;
  for (const std::string& name : names_) {
    const auto value = values.find(name);
    COMITY_CHECK(value != values.end());
    arguments.push_back(value->second);
  }
  return arguments;
}

std::optional<NamedValues> MatchForm(std::string_view form, std::string_view reference) {
  NamedValues values;
  while (true) {
    const std::size_t slash = form.find('/');
    const bool is_last = slash == std::string_view::npos;
    const std::string_view expected = form.substr(0, slash);
    const std::size_t end = is_last ? reference.size() : reference.find('/');
    if (end == std::string_view::npos) return std::nullopt;
    const std::string_view part = reference.substr(0, end);
    if (expected.starts_with(':')) {
      const std::string_view name = expected.substr(1);
      std::optional<StoredValue> value = ParsePart(name, part);
      if (!value) return std::nullopt;
      values.emplace(name, *std::move(value));
    } else if (part != expected) {
      return std::nullopt;
    }
    if (is_last) return values;
    form.remove_prefix(slash + 1);
    reference.remove_prefix(end + 1);
  }
}

}  // namespace comity::store
