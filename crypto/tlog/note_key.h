// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "crypto/base/result.h"
#include "crypto/sign/ed25519.h"

namespace comity::tlog {

// What a note signature signs and how; the octet stands in the key id and in the vkey text. The set
// is what this build verifies: another type (0x06 ML-DSA-44 cosignature, say) is one enumerator,
// one row of the table in note.cc. All types here carry an Ed25519 key.
enum class NoteKeyType : std::uint8_t {
  kEd25519 = 0x01,        // signs the note's text
  kCosignatureV1 = 0x04,  // signs a time and the note's text: a witness
};

using NoteKeyId = std::array<std::uint8_t, 4>;

// The public key of a log or a witness. Text form ("vkey"):
// `<name>+<8 hex key id>+<base64(type || public key)>`.
struct VerifierKey {
  std::string name;  // 1..255 octets of UTF-8, no space, no control character, no '+'
  NoteKeyType type = NoteKeyType::kEd25519;
  sign::PublicKey key;
  bool operator==(const VerifierKey&) const = default;
};

// SHA-256(name || 0x0A || type || public key), first 4 octets. Source: C2SP signed-note
NoteKeyId KeyIdOf(const VerifierKey& key);

std::string EncodeVerifierKey(const VerifierKey& key);
// In:     text  untrusted; one line without its end
// Errors: kInvalidArgument  not a vkey, the key id does not fit, or a type this build cannot verify
Result<VerifierKey> ParseVerifierKey(std::string_view text);

// True for what may be a key name (and a checkpoint's origin line, for our own logs).
bool IsKeyName(std::string_view name);

}  // namespace comity::tlog
