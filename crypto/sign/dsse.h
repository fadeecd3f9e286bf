// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "crypto/base/bytes.h"
#include "crypto/base/result.h"
#include "crypto/sign/ed25519.h"

namespace comity::sign {

// A signed envelope: Dead Simple Signing Envelope v1.0 with Ed25519. Several people may sign one
// payload. The payload type is signed too, so that a message of one kind cannot pass for another.
struct DsseSignature {
  PublicKey key;  // the wire carries KeyId(key) only; filled by the reader from keys it trusts
  std::string key_id;
  Signature signature;
};
struct DsseEnvelope {
  std::string payload_type;
  Bytes payload;
  std::vector<DsseSignature> signatures;
};

// What is signed: "DSSEv1 " len(type) " " type " " len(payload) " " payload.
// Source: DSSE v1.0 protocol, "PAE"; vector in tests/unit/crypto/sign/dsse_test.cc
Bytes PreAuthenticationEncoding(std::string_view payload_type, ByteView payload);

Signature SignDsse(const SigningKey& key, std::string_view payload_type, ByteView payload);
// Adds `key`'s signature (once) to `envelope`.
void AddSignature(const SigningKey& key, DsseEnvelope& envelope);
// Errors: kCorrupt  the signature is not by `key` over this type and payload
Status VerifyDsse(const PublicKey& key, std::string_view payload_type, ByteView payload,
                  const Signature& signature);
// Errors: kCorrupt  no signature in the envelope is a valid one by `key`
Status VerifySignedBy(const DsseEnvelope& envelope, const PublicKey& key);

// JSON form of an envelope (DSSE v1.0 "envelope.md"): canonical JSON, one final newline.
std::string EncodeDsseJson(const DsseEnvelope& envelope);
// In:     text  untrusted; at most `max_size` octets, at most 16 signatures
// Errors: kInvalidArgument  not such a text. Nothing is verified yet.
Result<DsseEnvelope> ParseDsseJson(std::string_view text, std::size_t max_size);

}  // namespace comity::sign
