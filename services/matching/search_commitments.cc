// SPDX-License-Identifier: Apache-2.0
#include "services/matching/search_commitments.h"

#include <string>

#include "crypto/hash/sha256.h"

namespace comity::matching {

Committer::Committer(const SecretBytes& key_encryption_key)
    : root_(hash::DeriveKey(key_encryption_key, AsBytes("comity/search-commitments/v1"))) {}

Commitment Committer::Officer(const policy::AgreementId& agreement, policy::Instant at,
                              std::string_view person) const {
  return Make({"officer", agreement, at, person});
}

Commitment Committer::Case(const policy::AgreementId& agreement, policy::Instant at,
                           std::string_view case_ref) const {
  return Make({"case", agreement, at, case_ref});
}

Commitment Committer::Make(const Name& name) const {
  // Neither kind, id nor day has a '|', and the text comes last: no two names are spelt alike.
  const std::string prefix =
      std::string(name.kind) + "|" + name.agreement.text() + "|" + policy::UtcDay(name.at) + "|";
  Commitment made;
  made.key = hash::HmacSha256(
      root_, {AsBytes("comity/commitment-key/v1|"), AsBytes(prefix), AsBytes(name.text)});
  const SecretBytes key = SecretBytes::CopyOf(made.key.view());
  made.value = hash::HmacSha256(
      key, {AsBytes("comity/commitment/v1|"), AsBytes(prefix), AsBytes(name.text)});
  return made;
}

}  // namespace comity::matching
