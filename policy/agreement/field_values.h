// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

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
// `ed25519:<base64>` of a usable point.
Result<KeyText> ParseKeyText(std::string_view text);
// One of kListCategories.
Result<ListCategory> ParseListCategory(std::string_view text);
// An id of at most kMaxClauseId characters, so that `<id>.list_categories` is at most 64.
inline constexpr std::size_t kMaxClauseId = 40;
Result<std::string> ParseClauseId(std::string_view text);
// Exactly `expected`.
Result<std::string> ParseExactly(std::string_view text, std::string_view expected);

}  // namespace comity::policy
