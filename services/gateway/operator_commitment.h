// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "crypto/base/bytes.h"
#include "crypto/base/secret.h"
#include "crypto/hash/sha256.h"
#include "services/matching/requester_session.h"

namespace comity::gateway {

// What the holder is told of the case and the operator: a commitment that the requester opens on
// lawful request, by handing over the operator key from its log's payload.
//
// HMAC-SHA256(operator_key, "comity/operator/v1|" || len(case_ref) || "|" || case_ref || operator)
inline Digest CommitToOperator(const matching::RequesterTerms& terms) {
  const SecretBytes key = SecretBytes::CopyOf(AsBytes(terms.operator_key));
  const std::string& case_ref = terms.deployment->case_ref;
  const std::string prefix = "comity/operator/v1|" + std::to_string(case_ref.size()) + "|";
  return hash::HmacSha256(key, {AsBytes(prefix), AsBytes(case_ref), AsBytes(terms.operator_id)});
}

}  // namespace comity::gateway
