// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/base/bytes.h"
#include "crypto/base/result.h"
#include "crypto/base/secret.h"
#include "policy/model/ids.h"
#include "policy/model/instant.h"

namespace comity::oversight {

enum class RevocationScope : std::uint8_t {
  kCertificate,  // this certificate: another one of the same key is taken
  kKey,          // every certificate of this key, those to come too
};
std::string_view Name(RevocationScope scope);  // "certificate", "key"
std::optional<RevocationScope> ScopeOf(std::string_view name);

// One certificate or key that this gateway bars.
struct CertificateRevocation {
  std::string id;  // rev-<32 characters 0-9 a-f>
  RevocationScope scope{};
  Digest sha256;        // of the certificate's DER, or of its SubjectPublicKeyInfo
  std::string subject;  // whose it is, as who revoked it said: a SPIFFE id, 0..300
  std::string set_by;   // person id, or `erasure-ledger`
  std::string reason;   // 1..1000
  policy::Instant set_at{};
  std::string lifted_by;    // person id of who approved; empty: it stands
  std::string lift_reason;  // then 1..1000
  policy::Instant lifted_at{};

  bool stands() const { return lifted_by.empty(); }
  bool operator==(const CertificateRevocation&) const = default;
};

struct RevocationTable {
  static constexpr std::size_t kMost = 1000;
  static constexpr std::size_t kMostOfOne = 100;   // that stand and one person set
  std::uint64_t version = 0;                       // one more with each change
  std::vector<CertificateRevocation> revocations;  // oldest first
};

// The table as one text for the store, which the gateway vouches for with the key-encryption key:
// nobody who can only write into the database can add, change or drop a row of it.
// In: kek  32 octets. Secret: kek
// Errors: kInvalidArgument  a text of it is not UTF-8
// Source: docs/formats/certificate_revocation.md
Result<std::string> SealRevocationTable(const RevocationTable& table, const policy::AgencyId& own,
                                        const SecretBytes& kek);
// In:     text  as the store holds it; untrusted
// Errors: kCorrupt  not what SealRevocationTable made for this agency with this key
Result<RevocationTable> OpenRevocationTable(std::string_view text, const policy::AgencyId& own,
                                            const SecretBytes& kek);

}  // namespace comity::oversight
