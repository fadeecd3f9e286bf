// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string_view>

#include "crypto/base/bytes.h"
#include "crypto/base/secret.h"
#include "policy/model/ids.h"
#include "policy/model/instant.h"

namespace comity::matching {

// Who searches and for which case, as the holder is told: pseudonyms of one agreement and one UTC
// day. Equal octets are the same officer, or the same case.
struct SearchCommitments {
  Digest officer;
  std::optional<Digest> case_ref;  // absent: no case stands behind the search
  bool operator==(const SearchCommitments&) const = default;
};

// A commitment with the key that opens it, and no other one.
struct Commitment {
  Digest value;
  Digest key;  // secret until the commitment is to be opened
};

// Makes commitments that are the same for the same officer, or case, under one agreement on one UTC
// day, and unrelated for everybody else on any other day:
//
//   name  = kind || "|" || agreement || "|" || day || "|" || text     kind: officer, case
//   key   = HMAC-SHA256(root, "comity/commitment-key/v1|" || name)
//   value = HMAC-SHA256(key, "comity/commitment/v1|" || name)
//
// To open one is to hand over text and key. The root stays here; a key says nothing about another.
//
// Threads: immutable.
// Secret:  the root, derived from the key-encryption key
class Committer {
 public:
  explicit Committer(const SecretBytes& key_encryption_key);

  Commitment Officer(const policy::AgreementId& agreement, policy::Instant at,
                     std::string_view person) const;
  Commitment Case(const policy::AgreementId& agreement, policy::Instant at,
                  std::string_view case_ref) const;

 private:
  struct Name {
    std::string_view kind;
    const policy::AgreementId& agreement;
    policy::Instant at;
    std::string_view text;
  };
  Commitment Make(const Name& name) const;
  SecretBytes root_;
};

}  // namespace comity::matching
