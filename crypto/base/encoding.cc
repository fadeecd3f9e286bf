// SPDX-License-Identifier: Apache-2.0
#include "crypto/base/encoding.h"

#include <sodium.h>

#include <algorithm>

namespace comity {
namespace {

Result<Digest> ToDigest(const Result<Bytes>& bytes) {
  if (!bytes) return Fail(bytes.error());
  if (bytes->size() != Digest::kSize) {
    return Fail(ErrorCode::kInvalidArgument, "a SHA-256 value has 32 octets");
  }
  Digest digest;
  std::copy(bytes->begin(), bytes->end(), digest.bytes.begin());
  return digest;
}

}  // namespace

std::string EncodeHex(ByteView bytes) {
  std::string text(bytes.size() * 2 + 1, '\0');
  sodium_bin2hex(text.data(), text.size(), bytes.data(), bytes.size());
  text.pop_back();
  return text;
}

Result<Bytes> ParseHex(std::string_view text) {
  const auto is_hex = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); };
  if (text.size() % 2 != 0 || !std::all_of(text.begin(), text.end(), is_hex)) {
    return Fail(ErrorCode::kInvalidArgument, "not lower-case hexadecimal");
  }
  const auto nibble = [](char c) {
    return static_cast<unsigned>(c <= '9' ? c - '0' : c - 'a' + 10);
  };
  Bytes bytes(text.size() / 2);
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    bytes[i] = static_cast<std::uint8_t>(nibble(text[2 * i]) << 4 | nibble(text[2 * i + 1]));
  }
  return bytes;
}

std::string EncodeBase64(ByteView bytes) {
  std::string text(sodium_base64_ENCODED_LEN(bytes.size(), sodium_base64_VARIANT_ORIGINAL), '\0');
  sodium_bin2base64(text.data(), text.size(), bytes.data(), bytes.size(),
                    sodium_base64_VARIANT_ORIGINAL);
  text.pop_back();
  return text;
}

Result<Bytes> ParseBase64(std::string_view text) {
  Bytes bytes(text.size() / 4 * 3 + 3);
  std::size_t size = 0;
  const char* end = nullptr;
  const int failed = sodium_base642bin(bytes.data(), bytes.size(), text.data(), text.size(),
                                       nullptr, &size, &end, sodium_base64_VARIANT_ORIGINAL);
  bytes.resize(size);
  // libsodium may accept a spelling that it would not produce; only the canonical one counts.
  if (failed != 0 || end != text.data() + text.size() || EncodeBase64(bytes) != text) {
    return Fail(ErrorCode::kInvalidArgument, "not canonical base64");
  }
  return bytes;
}

Result<Digest> ParseBase64Digest(std::string_view text) {
  return ToDigest(ParseBase64(text));
}
Result<Digest> ParseHexDigest(std::string_view text) {
  return ToDigest(ParseHex(text));
}

}  // namespace comity
