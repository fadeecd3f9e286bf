// SPDX-License-Identifier: Apache-2.0
#include "services/gateway/federation/session_wire.h"

#include <algorithm>

namespace comity::gateway {

Digest DigestOf(const std::string& octets) {
  Digest digest;
  const std::size_t size = std::min(octets.size(), Digest::kSize);
  std::copy_n(octets.begin(), size, digest.bytes.begin());
  return digest;
}

Result<matching::SearchCommitments> CommitmentsOf(const v1::SearchCommitments& proto) {
  if (proto.officer().size() != Digest::kSize ||
      (!proto.case_ref().empty() && proto.case_ref().size() != Digest::kSize)) {
    return Fail(ErrorCode::kInvalidArgument, "a commitment has 32 octets");
  }
  matching::SearchCommitments commitments{DigestOf(proto.officer()), std::nullopt};
  if (!proto.case_ref().empty()) commitments.case_ref = DigestOf(proto.case_ref());
  return commitments;
}

v1::Hit HitToProto(const matching::ReleasedHit& hit) {
  v1::Hit entry;
  entry.set_reference(hit.reference);
  entry.set_category(hit.category);
  entry.set_response_code(hit.response_code);
  if (hit.similarity) entry.set_similarity(static_cast<float>(*hit.similarity));
  return entry;
}

}  // namespace comity::gateway
