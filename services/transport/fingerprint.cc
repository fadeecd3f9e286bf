// SPDX-License-Identifier: Apache-2.0
#include "services/transport/fingerprint.h"

#include <cstddef>

#include "crypto/base/encoding.h"

namespace comity::transport {

std::string EncodeFingerprint(const Digest& digest) {
  constexpr std::size_t kGroup = 4;
  const std::string hex = EncodeHex(digest.view());
  std::string groups;
  for (std::size_t at = 0; at < hex.size(); at += kGroup) {
    groups += (groups.empty() ? "" : " ") + hex.substr(at, kGroup);
  }
  return groups;
}

Result<Digest> ParseFingerprint(std::string_view text) {
  std::string hex;
  for (const char c : text) {
    if (c == ' ' || c == ':' || c == '-') continue;
    hex += c >= 'A' && c <= 'F' ? static_cast<char>(c - 'A' + 'a') : c;
  }
  if (auto digest = ParseHexDigest(hex); digest) return digest;
  return Fail(ErrorCode::kInvalidArgument,
              "a fingerprint is all 64 hexadecimal digits, in groups or not");
}

}  // namespace comity::transport
