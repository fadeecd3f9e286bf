// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string_view>

#include "crypto/base/bytes.h"
#include "crypto/base/random.h"
#include "crypto/base/result.h"
#include "crypto/base/secret.h"

namespace comity::tlog {

// Every record has 32 random octets, k_record. Destroying them erases the record: the payload
// cannot be opened and the commitments in the log say nothing any more, while all proofs keep
// verifying.
inline constexpr std::size_t kRecordKeySize = 32;
inline constexpr std::string_view kCommitmentDomain = "comity/audit/v1";

SecretBytes GenerateRecordKey(RandomSource& random);

// HMAC-SHA256(k_record, "comity/audit/v1|<field>|" || octets): the entry's commitment to a field.
//
// In:     record_key  32 octets
//         field       name without '|' (one of our own constants)
//         octets      canonical octets of the field's value
// Secret: record_key, octets. Leaks: nothing without record_key.
// Source: docs/formats/audit_entry.md
Digest Commit(const SecretBytes& record_key, std::string_view field, ByteView octets);
// True if `commitment` is to these octets; constant time.
bool Opens(const Digest& commitment, const SecretBytes& record_key, std::string_view field,
           ByteView octets);

// The key that the record's payload is sealed under (crypto/envelope): HKDF of k_record.
SecretBytes DerivePayloadKey(const SecretBytes& record_key);

// Pads a payload to 256, 1024, 4096, ... octets (powers of 4 up to 16 MiB), so that the sealed
// length tells the bucket only: uint32_be length || payload || zeros.
//
// Errors: kInvalidArgument  a payload above 16 MiB - 4
Result<SecretBytes> PadToBucket(const SecretBytes& payload);
// Errors: kCorrupt  not what PadToBucket gives
Result<SecretBytes> Unpad(const SecretBytes& padded);

}  // namespace comity::tlog
