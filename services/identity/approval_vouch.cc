// SPDX-License-Identifier: Apache-2.0
#include "services/identity/approval_vouch.h"

#include <nlohmann/json.hpp>

#include "crypto/base/canonical_json.h"
#include "crypto/base/encoding.h"
#include "crypto/hash/sha256.h"

namespace comity::identity {
namespace {

bool IsOpen(const store::ApprovalRecord& act) {
  return act.state == store::ApprovalState::kPending || act.state == store::ApprovalState::kUrgent;
}

}  // namespace

Bytes VouchForAct(const SecretBytes& kek, const store::ApprovalRecord& act) {
  const SecretBytes key = hash::DeriveKey(kek, AsBytes("comity/approval/vouch/v1"));
  // What was proposed is visible text; of a row that somebody wrote this may be anything, and its
  // empty text is vouched for by nothing.
  const std::string text =
      TryEncodeCanonicalJson({{"id", act.id},
                              {"act", act.act},
                              {"subject", act.subject},
                              {"content", EncodeHex(hash::Sha256(AsBytes(act.content)).view())},
                              {"sha256", EncodeHex(act.sha256.view())},
                              {"words", EncodeHex(hash::Sha256(AsBytes(act.words)).view())},
                              {"proposed_by", act.proposed_by.text()},
                              {"proposed_at", policy::EncodeInstant(act.proposed_at)},
                              {"expires_at", policy::EncodeInstant(act.expires_at)}})
          .value_or("");
  const Digest mac = hash::HmacSha256(key, {AsBytes(text)});
  return Bytes(mac.bytes.begin(), mac.bytes.end());
}

Status CheckVouched(const SecretBytes& kek, const store::ApprovalRecord& act) {
  if (!IsOpen(act) && (act.content.empty() || act.vouched.empty())) return {};
  if (hash::Sha256(AsBytes(act.content)) == act.sha256 &&
      ConstantTimeEqual(VouchForAct(kek, act), act.vouched)) {
    return {};
  }
  return Fail(ErrorCode::kCorrupt, act.id +
                                       ": the stored act is not as it was proposed (or was "
                                       "proposed before an upgrade); it is not carried out, "
                                       "propose it again");
}

}  // namespace comity::identity
