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

bool InSubset(const json& value, int depth) {
  if (depth > kMaxDepth) return false;
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

std::string EncodeCanonicalJson(const json& value) {
  COMITY_CHECK(InSubset(value, 0));
  // nlohmann keeps names ordered by octets and writes control characters and integers as RFC 8785
  // does. It also escapes U+007F, which RFC 8785 leaves literal; the parser below therefore compares
  // with this encoder, and texts are checked for control characters where they enter.
  return value.dump(-1, ' ', false, json::error_handler_t::strict);
}

Result<json> ParseCanonicalJson(std::string_view text, std::size_t max_size) {
  if (text.size() > max_size) return Fail(ErrorCode::kInvalidArgument, "JSON text is too large");
  if (Depth(text) > kMaxDepth) return Fail(ErrorCode::kInvalidArgument, "JSON is nested too deep");
  json value = json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (value.is_discarded()) return Fail(ErrorCode::kInvalidArgument, "not JSON");
  if (!InSubset(value, 0)) {
    return Fail(ErrorCode::kInvalidArgument, "JSON holds null, a fraction or a large integer");
  }
  // Re-encoding finds duplicates, other orders, white space and other spellings at once.
  if (EncodeCanonicalJson(value) != text) {
    return Fail(ErrorCode::kInvalidArgument, "JSON is not in canonical form (RFC 8785)");
  }
  return value;
}

}  // namespace comity
