// SPDX-License-Identifier: Apache-2.0
#include "crypto/base/canonical_json.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "crypto/base/check.h"

namespace comity {
namespace {

using nlohmann::json;

constexpr int kMaxDepth = 16;
constexpr std::int64_t kMaxInteger = (std::int64_t{1} << 53) - 1;

bool IsPrintableAscii(const std::string& name) {
  return std::all_of(name.begin(), name.end(), [](char c) { return c >= 0x20 && c < 0x7f; });
}

// `depth` counts the brackets around `value`.
bool InSubset(const json& value, int depth) {
  if (depth + (value.is_structured() ? 1 : 0) > kMaxDepth) return false;
  switch (value.type()) {
    case json::value_t::object:
      return std::all_of(value.items().begin(), value.items().end(), [&](const auto& item) {
        return IsPrintableAscii(item.key()) && InSubset(item.value(), depth + 1);
      });
    case json::value_t::array:
      return std::all_of(value.begin(), value.end(),
                         [&](const json& element) { return InSubset(element, depth + 1); });
    case json::value_t::string:
    case json::value_t::boolean:
      return true;
    case json::value_t::number_integer:
      return value.get<std::int64_t>() >= -kMaxInteger && value.get<std::int64_t>() <= kMaxInteger;
    case json::value_t::number_unsigned:
      return value.get<std::uint64_t>() <= static_cast<std::uint64_t>(kMaxInteger);
    case json::value_t::null:
    case json::value_t::number_float:
    case json::value_t::binary:
    case json::value_t::discarded:
      return false;
  }
  return false;
}

// The deepest nesting of brackets outside strings; bounds the parser's recursion before it starts.
int Depth(std::string_view text) {
  int depth = 0;
  int deepest = 0;
  bool in_string = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\') ++i;
      if (c == '"') in_string = false;
      continue;
    }
    if (c == '"') in_string = true;
    if (c == '{' || c == '[') deepest = std::max(deepest, ++depth);
    if (c == '}' || c == ']') --depth;
  }
  return deepest;
}

}  // namespace

Result<std::string> TryEncodeCanonicalJson(const json& value) {
  if (!InSubset(value, 0)) {
    return Fail(
        ErrorCode::kInvalidArgument,
        "the JSON value holds null, a fraction, a large integer, an object name that is not "
        "printable ASCII, or is nested too deep");
  }
  // nlohmann keeps names ordered by octets and writes strings and integers as RFC 8785 does: short
  // escapes or \u00xx below U+0020, everything else literal. It throws on ill-formed UTF-8.
  try {
    return value.dump(-1, ' ', false, json::error_handler_t::strict);
  } catch (const json::exception&) {
    return Fail(ErrorCode::kInvalidArgument, "a JSON string is not UTF-8");
  }
}

std::string EncodeCanonicalJson(const json& value) {
  auto text = TryEncodeCanonicalJson(value);
  COMITY_CHECK(text.has_value());
  return std::move(*text);
}

Result<json> ParseCanonicalJson(std::string_view text, std::size_t max_size) {
  if (text.size() > max_size) return Fail(ErrorCode::kInvalidArgument, "JSON text is too large");
  if (Depth(text) > kMaxDepth) return Fail(ErrorCode::kInvalidArgument, "JSON is nested too deep");
  json value = json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (value.is_discarded()) return Fail(ErrorCode::kInvalidArgument, "not JSON");
  COMITY_ASSIGN_OR_RETURN(const std::string canonical, TryEncodeCanonicalJson(value));
  // Re-encoding finds duplicates, other orders, white space and other spellings at once.
  if (canonical != text) {
    return Fail(ErrorCode::kInvalidArgument, "JSON is not in canonical form (RFC 8785)");
  }
  return value;
}

}  // namespace comity
