// SPDX-License-Identifier: Apache-2.0
#include "crypto/sign/ed25519.h"

#include <sodium.h>

#include <algorithm>

#include "crypto/base/check.h"
#include "crypto/base/encoding.h"
#include "crypto/base/memory_lock.h"
#include "crypto/hash/sha256.h"

namespace comity::sign {
namespace {

constexpr std::string_view kTextPrefix = "ed25519:";
constexpr std::string_view kKeyFileHead = "comity-ed25519-private-v1\n";
constexpr std::size_t kSeedSize = crypto_sign_ed25519_SEEDBYTES;

static_assert(PublicKey::kSize == crypto_sign_ed25519_PUBLICKEYBYTES);
static_assert(Signature::kSize == crypto_sign_ed25519_BYTES);

using Octets = std::array<std::uint8_t, PublicKey::kSize>;

// y below 2^255 - 19: one point has one spelling.
bool IsCanonicalY(Octets y) {
  y[31] &= 0x7fU;
  if (y[31] != 0x7fU) return true;
  if (!std::all_of(y.begin() + 1, y.end() - 1, [](std::uint8_t o) { return o == 0xff; })) {
    return true;
  }
  return y[0] < 0xed;
}

// True for the points of order 1, 2 and 4: y is 1, -1 or 0.
bool HasOrderDividing4(Octets y) {
  y[31] &= 0x7fU;
  Octets zero{};
  Octets one{};
  one[0] = 1;
  Octets minus_one;
  minus_one.fill(0xff);
  minus_one[0] = 0xec;
  minus_one[31] = 0x7f;
  return y == zero || y == one || y == minus_one;
}

// A point has small order (it divides 8) exactly if its double has an order that divides 4. Adding
// the point to itself also checks that it is on the curve, at a fifth of the price of libsodium's
// full test, whose multiplication by the group order Ed25519 verification does not need.
bool IsUsableKey(const Octets& point) {
  Octets twice;
  return IsCanonicalY(point) &&
         crypto_core_ed25519_add(twice.data(), point.data(), point.data()) == 0 &&
         !HasOrderDividing4(twice);
}

}  // namespace

std::string EncodePublicKey(const PublicKey& key) {
  return std::string(kTextPrefix) + EncodeBase64(key.bytes);
}

Result<PublicKey> PublicKeyFromOctets(ByteView octets) {
  PublicKey key;
  if (octets.size() != key.bytes.size()) {
    return Fail(ErrorCode::kInvalidArgument, "an Ed25519 public key has 32 octets");
  }
  std::copy(octets.begin(), octets.end(), key.bytes.begin());
  if (!IsUsableKey(key.bytes)) {
    return Fail(ErrorCode::kInvalidArgument,
                "not an Ed25519 public key: no point of the curve, or one of small order");
  }
  return key;
}

Result<PublicKey> ParsePublicKey(std::string_view text) {
  // 44 characters hold 32 octets; anything longer is not worth decoding.
  if (!text.starts_with(kTextPrefix) || text.size() != kTextPrefix.size() + 44) {
    return Fail(ErrorCode::kInvalidArgument,
                "a public key is written ed25519:<base64 of 32 octets>");
  }
  COMITY_ASSIGN_OR_RETURN(const Bytes octets, ParseBase64(text.substr(kTextPrefix.size())));
  return PublicKeyFromOctets(octets);
}

std::string KeyId(const PublicKey& key) {
  return EncodeHex(hash::Sha256(key.view()).view().first(8));
}

SigningKey::SigningKey(SecretBytes expanded, const PublicKey& key)
    : expanded_(std::move(expanded)), public_(key) {}

SigningKey SigningKey::Generate(RandomSource& random) {
  SecretBytes seed(kSeedSize);
  random.Fill(seed.ExposeMutable());
  auto key = FromSeed(seed);
  COMITY_CHECK(key.has_value());
  return std::move(*key);
}

Result<SigningKey> SigningKey::FromSeed(const SecretBytes& seed) {
  if (seed.size() != kSeedSize) {
    return Fail(ErrorCode::kInvalidArgument, "an Ed25519 seed has 32 octets");
  }
  SecretBytes expanded(crypto_sign_ed25519_SECRETKEYBYTES);
  PublicKey key;
  COMITY_CHECK(crypto_sign_ed25519_seed_keypair(key.bytes.data(), expanded.ExposeMutable().data(),
                                                seed.Expose().data()) == 0);
  return SigningKey(std::move(expanded), key);
}

Result<SigningKey> SigningKey::ParseKeyFile(std::string_view text) {
  const auto not_a_key_file = [] {
    return Fail(ErrorCode::kInvalidArgument,
                "not a key file: two lines are expected, comity-ed25519-private-v1 and the base64 "
                "of 32 octets");
  };
  constexpr std::size_t kSize = kKeyFileHead.size() + 44 + 1;
  if (text.size() != kSize || !text.starts_with(kKeyFileHead) || !text.ends_with('\n')) {
    return not_a_key_file();
  }
  auto octets = ParseBase64(text.substr(kKeyFileHead.size(), 44));
  if (!octets) return not_a_key_file();
  const SecretBytes seed = SecretBytes::CopyOf(*octets);
  Wipe(*octets);
  if (seed.size() != kSeedSize) return not_a_key_file();
  return FromSeed(seed);
}

bool SigningKey::LockInMemory() const {
  return comity::LockInMemory(expanded_.Expose());
}

SecretBytes SigningKey::EncodeKeyFile() const {
  std::string seed = EncodeBase64(expanded_.Expose().first(kSeedSize));
  SecretBytes file(kKeyFileHead.size() + seed.size() + 1);
  const std::span<std::uint8_t> out = file.ExposeMutable();
  auto position = std::copy(kKeyFileHead.begin(), kKeyFileHead.end(), out.begin());
  position = std::copy(seed.begin(), seed.end(), position);
  *position = '\n';
  sodium_memzero(seed.data(), seed.size());
  return file;
}

Signature SigningKey::Sign(ByteView message) const {
  Signature signature;
  COMITY_CHECK(crypto_sign_ed25519_detached(signature.bytes.data(), nullptr, message.data(),
                                            message.size(), expanded_.Expose().data()) == 0);
  return signature;
}

Status Verify(const PublicKey& key, ByteView message, const Signature& signature) {
  if (crypto_sign_ed25519_verify_detached(signature.bytes.data(), message.data(), message.size(),
                                          key.bytes.data()) != 0) {
    return Fail(ErrorCode::kCorrupt, "the signature is not by key " + KeyId(key));
  }
  return {};
}

}  // namespace comity::sign
