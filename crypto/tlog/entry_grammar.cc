// SPDX-License-Identifier: Apache-2.0
#include "crypto/tlog/entry_grammar.h"

#include <algorithm>

#include "crypto/tlog/entry.h"

namespace comity::tlog {
namespace {

constexpr std::int64_t kMaxInteger = (std::int64_t{1} << 53) - 1;
constexpr std::size_t kHexDigestSize = 64;
constexpr std::size_t kBase64DigestSize = 44;

// One octet of a class bit set per character, so that a check is one load.
enum CharacterClass : std::uint8_t {
  kText = 1,
  kHex = 2,
  kBase64 = 4,
  kBase64Last = 8,  // the last of 43 digits carries two unused bits, which are zero
};

constexpr std::array<std::uint8_t, 256> MakeClasses() {
  std::array<std::uint8_t, 256> classes{};
  const auto add = [&](std::string_view characters, unsigned bits) {
    for (const char c : characters) {
      auto& entry = classes[static_cast<unsigned char>(c)];
      entry = static_cast<std::uint8_t>(entry | bits);
    }
  };
  for (char c = 0x20; c < 0x7f; ++c) {
    if (c != '"' && c != '\\') add(std::string_view(&c, 1), kText);
  }
  add("0123456789abcdef", kHex);
  add("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/", kBase64);
  add("AEIMQUYcgkosw048", kBase64Last);
  return classes;
}

constexpr auto kClasses = MakeClasses();

bool Is(char c, CharacterClass wanted) {
  return (kClasses[static_cast<unsigned char>(c)] & wanted) != 0;
}

// Every character is looked at: no branch a character, so that it costs little.
bool AllAre(std::string_view text, CharacterClass wanted) {
  unsigned bits = 0xff;
  for (const char c : text) bits &= kClasses[static_cast<unsigned char>(c)];
  return (bits & wanted) != 0;
}

}  // namespace

bool IsEntryText(std::string_view text) {
  return !text.empty() && text.size() <= kMaxEntryText && AllAre(text, kText);
}

bool EntryCursor::Reject(std::string_view expected) {
  if (expected_.empty()) expected_ = expected;
  return false;
}

Status EntryCursor::status() const {
  if (expected_.empty()) return {};
  return Fail(ErrorCode::kInvalidArgument, "not a log entry: octet " + std::to_string(at_) +
                                               ": expected " + std::string(expected_));
}

bool EntryCursor::TakeText(std::string_view& text) {
  constexpr std::string_view kExpected =
      "a string of 1 to 128 printable ASCII characters without quote and backslash";
  if (!Take("\"")) return false;
  const std::string_view rest = text_.substr(at_, kMaxEntryText + 1);
  const auto end = std::find_if_not(rest.begin(), rest.end(), [](char c) { return Is(c, kText); });
  if (end == rest.begin() || end == rest.end() || *end != '"') return Reject(kExpected);
  text = rest.substr(0, static_cast<std::size_t>(end - rest.begin()));
  at_ += text.size() + 1;
  return true;
}

bool EntryCursor::TakeInteger(std::int64_t& value) {
  constexpr std::string_view kExpected = "an integer from 0 to 2^53 - 1";
  constexpr std::size_t kMaxDigits = 16;
  std::size_t digits = 0;
  value = 0;
  while (digits <= kMaxDigits && at_ + digits < text_.size() && text_[at_ + digits] >= '0' &&
         text_[at_ + digits] <= '9') {
    value = 10 * value + (text_[at_ + digits] - '0');
    ++digits;
  }
  const bool leading_zero = digits > 1 && text_[at_] == '0';
  if (digits == 0 || leading_zero || value > kMaxInteger) return Reject(kExpected);
  at_ += digits;
  return true;
}

bool EntryCursor::TakeQuoted(std::size_t size, std::string_view& content) {
  if (text_.size() - at_ < size + 2 || text_[at_] != '"' || text_[at_ + size + 1] != '"') {
    return false;
  }
  content = text_.substr(at_ + 1, size);
  return true;
}

bool EntryCursor::TakeHexDigest(std::string_view& hex) {
  if (!TakeQuoted(kHexDigestSize, hex) || !AllAre(hex, kHex)) {
    return Reject("a SHA-256 value in lower-case hex");
  }
  at_ += hex.size() + 2;
  return true;
}

bool EntryCursor::TakeBase64Digest(std::string_view& base64) {
  if (!TakeQuoted(kBase64DigestSize, base64) || base64.back() != '=' ||
      !Is(base64[kBase64DigestSize - 2], kBase64Last) ||
      !AllAre(base64.substr(0, kBase64DigestSize - 1), kBase64)) {
    return Reject("the base64 of 32 octets");
  }
  at_ += base64.size() + 2;
  return true;
}

bool EntryCursor::TakeEnd() {
  return at_ == text_.size() || Reject("the end");
}

}  // namespace comity::tlog
