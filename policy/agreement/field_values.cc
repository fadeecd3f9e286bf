// SPDX-License-Identifier: Apache-2.0
#include "policy/agreement/field_values.h"

#include <algorithm>
#include <charconv>

#include "crypto/sign/ed25519.h"

namespace comity::policy {
namespace {

bool AreDigits(std::string_view text) {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

bool IsWholeNumber(std::string_view text) {
  return AreDigits(text) && (text.size() == 1 || text.front() != '0');
}

std::optional<double> ReadDecimal(std::string_view text) {
  constexpr std::size_t kMaxFraction = 9;
  const std::size_t point = text.find('.');
  const std::string_view fraction = point == text.npos ? "0" : text.substr(point + 1);
  double value = 0.0;
  const auto parsed =
      std::from_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed);
  if (!IsWholeNumber(text.substr(0, point)) || !AreDigits(fraction) ||
      fraction.size() > kMaxFraction || parsed.ec != std::errc()) {
    return std::nullopt;
  }
  return value;
}

}  // namespace

Result<std::string> ParseText(std::string_view text, std::size_t max_size) {
  if (text.empty() || text.size() > max_size || text.front() == ' ' || text.back() == ' ') {
    return Fail(ErrorCode::kInvalidArgument,
                "a text has 1 to " + std::to_string(max_size) + " octets and no space at its ends");
  }
  return std::string(text);
}

Result<std::string> ParseEngineText(std::string_view text) {
  constexpr std::size_t kMaxSize = 64;
  if (!std::all_of(text.begin(), text.end(), [](char c) { return c >= 0x20 && c < 0x7f; })) {
    return Fail(ErrorCode::kInvalidArgument, "must be printable ASCII");
  }
  return ParseText(text, kMaxSize);
}

Result<std::uint64_t> ParseWholeNumber(std::string_view text, std::uint64_t min,
                                       std::uint64_t max) {
  std::uint64_t value = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
  if (!IsWholeNumber(text) || parsed.ec != std::errc() || value < min || value > max) {
    return Fail(ErrorCode::kInvalidArgument, "must be a whole number from " + std::to_string(min) +
                                                 " to " + std::to_string(max) +
                                                 ", in plain decimal digits");
  }
  return value;
}

Result<double> ParseCosineFloor(std::string_view text) {
  if (const auto value = ReadDecimal(text); value && *value > 0.0 && *value <= 1.0) return *value;
  return Fail(ErrorCode::kInvalidArgument,
              "must be a cosine above 0 and at most 1 in plain decimal digits, such as 0.64");
}

Result<double> ParsePercent(std::string_view text) {
  constexpr double kWhole = 100.0;
  if (const auto value = ReadDecimal(text); value && *value > 0.0 && *value <= kWhole) {
    return *value;
  }
  return Fail(ErrorCode::kInvalidArgument,
              "must be a percentage above 0 and at most 100 in plain decimal digits, such as 0.5");
}

Result<bool> ParseFlag(std::string_view text) {
  if (text == "true" || text == "false") return text == "true";
  return Fail(ErrorCode::kInvalidArgument, "must be true or false");
}

Result<KeyText> ParseKeyText(std::string_view text) {
  COMITY_ASSIGN_OR_RETURN(const sign::PublicKey key, sign::ParsePublicKey(text));
  return sign::EncodePublicKey(key);
}

Result<ListCategory> ParseListCategory(std::string_view text) {
  if (IsListCategory(text)) return ListCategory::Parse(text);
  std::string allowed;
  for (const std::string_view category : kListCategories) {
    allowed.append(allowed.empty() ? "" : ", ").append(category);
  }
  return Fail(ErrorCode::kInvalidArgument, "must be one of: " + allowed);
}

Result<std::string> ParseClauseId(std::string_view text) {
  if (!IsWellFormedId(text) || text.size() > kMaxClauseId) {
    return Fail(ErrorCode::kInvalidArgument,
                "a clause id has 1 to " + std::to_string(kMaxClauseId) +
                    " characters a-z, 0-9 and '-', starts with a letter and does not end with '-'");
  }
  return std::string(text);
}

Result<PurposeCode> ParsePurposeCode(std::string_view text) {
  if (text.size() > kMaxClauseId) {
    return Fail(ErrorCode::kInvalidArgument,
                "a purpose's code has at most " + std::to_string(kMaxClauseId) + " characters");
  }
  return PurposeCode::Parse(text);
}

Result<std::string> ParseExactly(std::string_view text, std::string_view expected) {
  if (text != expected) {
    return Fail(ErrorCode::kInvalidArgument, "must be `" + std::string(expected) + "`");
  }
  return std::string(text);
}

}  // namespace comity::policy
