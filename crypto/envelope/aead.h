// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "crypto/base/bytes.h"
#include "crypto/base/random.h"
#include "crypto/base/result.h"
#include "crypto/base/secret.h"

namespace comity::envelope {

inline constexpr std::size_t kKeySize = 32;
// Octets that sealing adds: 1 version, 24 nonce, 16 tag.
inline constexpr std::size_t kOverhead = 41;

// A fresh 256-bit key.
SecretBytes GenerateKey(RandomSource& random);

// Encrypts `plaintext` with XChaCha20-Poly1305 under a random 192-bit nonce and binds it to
// `context` (what it is and whose: e.g. "entry-template|list|reference"), which is not stored.
// Form: 0x01 || nonce || ciphertext || tag.
//
// Secret:  key, plaintext. Leaks: the plaintext's length.
// Source:  libsodium crypto_aead_xchacha20poly1305_ietf; draft-irtf-cfrg-xchacha-03 A.3 vector
Bytes Seal(const SecretBytes& key, ByteView plaintext, ByteView context, RandomSource& random);

// Errors: kCorrupt  not such a form, another key or context, or any changed octet
Result<SecretBytes> Open(const SecretBytes& key, ByteView sealed, ByteView context);

// Wraps a data key under a key-encryption key (Seal with its own domain), so that destroying the
// wrapped form erases everything under the data key, in backups too.
Bytes WrapKey(const SecretBytes& wrapping_key, const SecretBytes& data_key, ByteView context,
              RandomSource& random);
// Errors: kCorrupt  as Open, or the content is not a 32-octet key
Result<SecretBytes> UnwrapKey(const SecretBytes& wrapping_key, ByteView wrapped, ByteView context);

}  // namespace comity::envelope
