// SPDX-License-Identifier: Apache-2.0
#include "crypto/envelope/aead.h"

#include <sodium.h>

#include <algorithm>

#include "crypto/base/check.h"

namespace comity::envelope {
namespace {

constexpr std::uint8_t kVersion = 1;
constexpr std::size_t kNonceSize = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES;
constexpr std::size_t kTagSize = crypto_aead_xchacha20poly1305_ietf_ABYTES;

static_assert(kKeySize == crypto_aead_xchacha20poly1305_ietf_KEYBYTES);
static_assert(kOverhead == 1 + kNonceSize + kTagSize);
static_assert(kKeySize == crypto_kdf_KEYBYTES);

// Picks the vector implementations; without it libsodium works, but slowly.
void PrepareLibrary() {
  static const bool ready = sodium_init() >= 0;
  COMITY_CHECK(ready);
}

// Wrapping runs under a key of its own, so that no sealed value can pass for a wrapped key whatever
// its context says.
SecretBytes WrappingSubkey(const SecretBytes& wrapping_key) {
  COMITY_CHECK(wrapping_key.size() == kKeySize);
  SecretBytes subkey(kKeySize);
  COMITY_CHECK(crypto_kdf_derive_from_key(subkey.ExposeMutable().data(), subkey.size(), 1,
                                          "keywrap1", wrapping_key.Expose().data()) == 0);
  return subkey;
}

tl::unexpected<Error> DoesNotOpen() {
  return Fail(ErrorCode::kCorrupt, "sealed data does not open: wrong key, wrong place, or changed");
}

}  // namespace

SecretBytes GenerateKey(RandomSource& random) {
  SecretBytes key(kKeySize);
  random.Fill(key.ExposeMutable());
  return key;
}

Bytes Seal(const SecretBytes& key, ByteView plaintext, ByteView context, RandomSource& random) {
  PrepareLibrary();
  COMITY_CHECK(key.size() == kKeySize);
  Bytes sealed(plaintext.size() + kOverhead);
  sealed[0] = kVersion;
  const std::span<std::uint8_t> nonce = std::span(sealed).subspan(1, kNonceSize);
  random.Fill(nonce);
  COMITY_CHECK(crypto_aead_xchacha20poly1305_ietf_encrypt(sealed.data() + 1 + kNonceSize, nullptr,
                                                          plaintext.data(), plaintext.size(),
                                                          context.data(), context.size(), nullptr,
                                                          nonce.data(), key.Expose().data()) == 0);
  return sealed;
}

Result<SecretBytes> Open(const SecretBytes& key, ByteView sealed, ByteView context) {
  PrepareLibrary();
  COMITY_CHECK(key.size() == kKeySize);
  if (sealed.size() < kOverhead || sealed[0] != kVersion) return DoesNotOpen();
  const ByteView nonce = sealed.subspan(1, kNonceSize);
  const ByteView ciphertext = sealed.subspan(1 + kNonceSize);
  SecretBytes plaintext(ciphertext.size() - kTagSize);
  if (crypto_aead_xchacha20poly1305_ietf_decrypt(
          plaintext.ExposeMutable().data(), nullptr, nullptr, ciphertext.data(), ciphertext.size(),
          context.data(), context.size(), nonce.data(), key.Expose().data()) != 0) {
    return DoesNotOpen();
  }
  return plaintext;
}

Bytes WrapKey(const SecretBytes& wrapping_key, const SecretBytes& data_key, ByteView context,
              RandomSource& random) {
  COMITY_CHECK(data_key.size() == kKeySize);
  return Seal(WrappingSubkey(wrapping_key), data_key.Expose(), context, random);
}

Result<SecretBytes> UnwrapKey(const SecretBytes& wrapping_key, ByteView wrapped, ByteView context) {
  if (wrapped.size() != kKeySize + kOverhead) return DoesNotOpen();
  return Open(WrappingSubkey(wrapping_key), wrapped, context);
}

}  // namespace comity::envelope
