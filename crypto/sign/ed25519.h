// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <compare>
#include <string>
#include <string_view>

#include "crypto/base/bytes.h"
#include "crypto/base/random.h"
#include "crypto/base/result.h"
#include "crypto/base/secret.h"

namespace comity::sign {

// An Ed25519 public key. Text form, used in agreements, peer files and key files:
// `ed25519:<base64 of 32 octets>`.
struct PublicKey {
  static constexpr std::size_t kSize = 32;
  std::array<std::uint8_t, kSize> bytes{};
  auto operator<=>(const PublicKey&) const = default;
  ByteView view() const { return bytes; }
};

struct Signature {
  static constexpr std::size_t kSize = 64;
  std::array<std::uint8_t, kSize> bytes{};
  auto operator<=>(const Signature&) const = default;
  ByteView view() const { return bytes; }
};

std::string EncodePublicKey(const PublicKey& key);
// Errors: kInvalidArgument  not the text form above, or a point of small order / not on the curve
Result<PublicKey> ParsePublicKey(std::string_view text);
// The same from the 32 octets alone.
// Errors: kInvalidArgument  another length, not on the curve, of small order, not canonical
Result<PublicKey> PublicKeyFromOctets(ByteView octets);

// Lower-case hex of the first 8 octets of SHA-256(public key): short name of a key for people and
// logs. Not a substitute for comparing keys.
std::string KeyId(const PublicKey& key);

// A private key with its public half.
//
// Secret:  the 32-octet seed
// Threads: immutable after construction; Sign is safe from any thread.
class SigningKey {
 public:
  static SigningKey Generate(RandomSource& random);
  // In: seed  32 octets. Errors: kInvalidArgument  another length
  static Result<SigningKey> FromSeed(const SecretBytes& seed);
  // Key file: two lines, `comity-ed25519-private-v1` and base64 of the seed.
  // Errors: kInvalidArgument  not a key file
  static Result<SigningKey> ParseKeyFile(std::string_view text);
  SecretBytes EncodeKeyFile() const;

  const PublicKey& public_key() const { return public_; }
  // Source: RFC 8032 section 5.1.6
  Signature Sign(ByteView message) const;
  // Of its secret half; see crypto/base/memory_lock.h. Holds for what the key is moved to, too.
  [[nodiscard]] bool LockInMemory() const;

 private:
  SigningKey(SecretBytes expanded, const PublicKey& key);
  SecretBytes expanded_;  // libsodium's form: seed || public key, 64 octets
  PublicKey public_;
};

// Errors: kCorrupt  the signature is not by `key` over `message`
// Source: RFC 8032 section 5.1.7; libsodium refuses small-order keys and non-canonical S.
Status Verify(const PublicKey& key, ByteView message, const Signature& signature);

}  // namespace comity::sign
