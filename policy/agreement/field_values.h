// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "crypto/base/result.h"
#include "policy/model/agreement.h"

namespace comity::policy {

// The values of an agreement document from their text. Errors of all: kInvalidArgument, with what
// is expected in the detail.

// 1 to `max_size` octets, no space at either end. Characters are CheckDocumentText's matter.
Result<std::string> ParseText(std::string_view text, std::size_t max_size);
// 1 to 64 octets of printable ASCII, no space at either end: a part of an engine profile.
Result<std::string> ParseEngineText(std::string_view text);
// Decimal digits without sign, leading zero, fraction, exponent or separators.
Result<std::uint64_t> ParseWholeNumber(std::string_view text, std::uint64_t min, std::uint64_t max);
// Digits with at most 9 after a point, in (0, 1]; no sign, exponent, `inf` or `nan`.
Result<double> ParseCosineFloor(std::string_view text);
// The same in (0, 100].
Result<double> ParsePercent(std::string_view text);
// `true` or `false`.
Result<bool> ParseFlag(std::string_view text);
// `ed25519:<base64>` of a usable point.
Result<KeyText> ParseKeyText(std::string_view text);
// One of kListCategories.
Result<ListCategory> ParseListCategory(std::string_view text);
// An id of at most kMaxClauseId characters, so that `<id>.list_categories` is at most 64.
inline constexpr std::size_t kMaxClauseId = 40;
Result<std::string> ParseClauseId(std::string_view text);
// A purpose's code, of the same length, so that `purposes.<code>.offence` is at most 64, too.
Result<PurposeCode> ParsePurposeCode(std::string_view text);
// Exactly `expected`.
Result<std::string> ParseExactly(std::string_view text, std::string_view expected);

// The readers that FieldReader is given, with their bounds.
inline constexpr std::size_t kShortText = 200;  // names, posts, contacts, references
inline constexpr std::size_t kLongText = 1000;  // legal powers, conditions, reasons
inline auto Text(std::size_t max_size) {
  return [max_size](std::string_view text) { return ParseText(text, max_size); };
}
inline auto WholeNumber(std::uint64_t min, std::uint64_t max) {
  return [min, max](std::string_view text) { return ParseWholeNumber(text, min, max); };
}
inline auto SmallNumber(std::uint32_t min, std::uint32_t max) {
  return [min, max](std::string_view text) -> Result<std::uint32_t> {
    COMITY_ASSIGN_OR_RETURN(const std::uint64_t value, ParseWholeNumber(text, min, max));
    return static_cast<std::uint32_t>(value);
  };
}
// What may be absent is said to be: the word `none`.
template <typename Parse>
auto OrNone(Parse parse) {
  using Value = typename decltype(parse(std::string_view()))::value_type;
  return [parse](std::string_view text) -> Result<std::optional<Value>> {
    if (text == "none") return std::optional<Value>();
    auto value = parse(text);
    if (!value) {
      return Fail(value.error().code, std::move(value.error().detail) + "; or `none`");
    }
    return std::optional<Value>(std::move(value).value());
  };
}
inline auto TextOrNone(std::size_t max_size) {
  return OrNone(Text(max_size));
}

}  // namespace comity::policy
