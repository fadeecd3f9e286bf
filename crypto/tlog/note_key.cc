// SPDX-License-Identifier: Apache-2.0
#include "crypto/tlog/note_key.h"

#include <algorithm>

#include "crypto/base/encoding.h"
#include "crypto/base/quote.h"
#include "crypto/base/utf8.h"
#include "crypto/hash/sha256.h"

namespace comity::tlog {
namespace {

constexpr std::size_t kMaxName = 255;
constexpr std::size_t kMaxVerifierKey = 4096;
constexpr std::size_t kHexIdSize = 8;

tl::unexpected<Error> NotAKey(std::string_view text, const std::string& why) {
  return Fail(ErrorCode::kInvalidArgument, Quote(text) + " is not a vkey: " + why);
}

Bytes TypeAndKey(const VerifierKey& key) {
  Bytes octets(1 + key.key.bytes.size());
  octets[0] = static_cast<std::uint8_t>(key.type);
  std::copy(key.key.bytes.begin(), key.key.bytes.end(), octets.begin() + 1);
  return octets;
}

bool IsSupported(std::uint8_t type) {
  return type == static_cast<std::uint8_t>(NoteKeyType::kEd25519) ||
         type == static_cast<std::uint8_t>(NoteKeyType::kCosignatureV1);
}

// The part after the second '+'.
Result<VerifierKey> ReadTypeAndKey(std::string_view text, std::string_view base64) {
  const auto octets = ParseBase64(base64);
  if (!octets || octets->empty()) return NotAKey(text, "its last part is not base64");
  const std::uint8_t type = octets->front();
  if (!IsSupported(type)) {
    return NotAKey(text, "signature type " + std::to_string(type) +
                             " is not supported; Ed25519 (1) and cosignature/v1 (4) are");
  }
  const auto public_key = sign::PublicKeyFromOctets(ByteView(*octets).subspan(1));
  if (!public_key) return NotAKey(text, public_key.error().detail);
  return VerifierKey{{}, static_cast<NoteKeyType>(type), *public_key};
}

}  // namespace

bool IsKeyName(std::string_view name) {
  return !name.empty() && name.size() <= kMaxName && IsUtf8(name) && !HasUnicodeSpace(name) &&
         std::none_of(name.begin(), name.end(), [](char c) {
           return static_cast<unsigned char>(c) <= 0x20 || c == 0x7f || c == '+';
         });
}

NoteKeyId KeyIdOf(const VerifierKey& key) {
  constexpr std::uint8_t kLineFeed = 0x0a;
  const Bytes octets = TypeAndKey(key);
  const Digest digest = hash::Sha256({AsBytes(key.name), ByteView(&kLineFeed, 1), octets});
  NoteKeyId id;
  std::copy_n(digest.bytes.begin(), id.size(), id.begin());
  return id;
}

std::string EncodeVerifierKey(const VerifierKey& key) {
  return key.name + "+" + EncodeHex(KeyIdOf(key)) + "+" + EncodeBase64(TypeAndKey(key));
}

Result<VerifierKey> ParseVerifierKey(std::string_view text) {
  if (text.size() > kMaxVerifierKey) return NotAKey(text, "too long");
  const std::size_t first = text.find('+');
  const std::size_t second = first == std::string_view::npos ? first : text.find('+', first + 1);
  if (second == std::string_view::npos) {
    return NotAKey(text, "<name>+<key id>+<base64 of type and key> is expected");
  }
  const std::string_view name = text.substr(0, first);
  if (!IsKeyName(name)) return NotAKey(text, "bad name");
  COMITY_ASSIGN_OR_RETURN(VerifierKey key, ReadTypeAndKey(text, text.substr(second + 1)));
  key.name = std::string(name);
  const std::string_view hex_id = text.substr(first + 1, second - first - 1);
  if (hex_id.size() != kHexIdSize || hex_id != EncodeHex(KeyIdOf(key))) {
    return NotAKey(text, "the key id is not that of this name and key");
  }
  return key;
}

}  // namespace comity::tlog
