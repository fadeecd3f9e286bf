// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <initializer_list>

#include "crypto/base/bytes.h"
#include "crypto/base/secret.h"

namespace comity::hash {

// SHA-256 of the parts one after the other (no length or separator is added: callers that need one
// pass it as a part).
//
// Threads: pure function; safe from any thread.
// Leaks:   time depends on the total length only.
// Source:  FIPS 180-4; vectors in tests/unit/crypto/hash/sha256_test.cc.
Digest Sha256(std::initializer_list<ByteView> parts);
inline Digest Sha256(ByteView bytes) {
  return Sha256({bytes});
}

// HMAC-SHA256 of the parts one after the other.
//
// Secret:  key (any length; 32 octets in this project)
// Source:  RFC 2104, RFC 4231 vectors
Digest HmacSha256(const SecretBytes& key, std::initializer_list<ByteView> parts);

// HKDF-SHA256 with an empty salt, one block of output: a key of 32 octets for the use named by
// `info`.
//
// Secret:  key_material (32 octets of full entropy)
// Source:  RFC 5869
SecretBytes DeriveKey(const SecretBytes& key_material, ByteView info);

}  // namespace comity::hash
