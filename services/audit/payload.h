// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "crypto/base/bytes.h"
#include "crypto/base/random.h"
#include "crypto/base/result.h"
#include "crypto/base/secret.h"
#include "policy/model/instant.h"
#include "services/store/records.h"
#include "services/store/store.h"

namespace comity::audit {

// field name -> canonical octets: Event::committed
using CommittedFields = std::map<std::string, std::string>;

// Octets of an encoded payload before padding, at most.
inline constexpr std::size_t kMaxPayloadSize = 512 * 1024;

// Which entry a payload belongs to, and which key opens it.
struct PayloadKeys {
  const SecretBytes& kek;  // 32 octets
  Digest leaf;             // leaf hash of the entry: payload and wrapped key are bound to it
};

// Seals `fields`, padded to a bucket, under a key derived from `k_record`, and wraps `k_record`.
//
// Secret:  k_record, fields. Leaks: the bucket of the length.
// Errors:  kInternal  a name of more than 255 octets, or more than kMaxPayloadSize in all
// Source:  docs/formats/audit_entry.md
Result<store::AuditPayloadRecord> SealPayload(const CommittedFields& fields,
                                              const SecretBytes& k_record, const PayloadKeys& keys,
                                              RandomSource& random);

// What an entry's payload holds, for the agency itself.
struct OpenedPayload {
  Bytes entry;          // the leaf
  bool erased = false;  // the key was destroyed: `fields` is empty, the entry and all proofs stand
  // When the payload's own period ends, or ended; absent: it has none.
  std::optional<policy::Instant> erase_at;
  CommittedFields fields;  // each verified against its commitment in the entry
  SecretBytes record_key;  // 32 octets: opens the commitments; empty once erased
};

// Opens the payload of entry `index` and verifies that its fields are exactly those that the entry
// commits to. The caller records kPayloadOpened.
//
// Errors: kNotFound  no such entry
//         kCorrupt   entry, payload, key and commitments do not belong together
Result<OpenedPayload> OpenPayload(const store::Store& store, const SecretBytes& kek,
                                  std::uint64_t index);
// The same of an entry and a payload that were read already.
// Errors: kCorrupt
Result<OpenedPayload> OpenPayload(Bytes entry, const store::AuditPayloadRecord& record,
                                  const SecretBytes& kek);

}  // namespace comity::audit
