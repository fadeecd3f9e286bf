// SPDX-License-Identifier: Apache-2.0
#include "services/gateway/federation/sealed_probes.h"

#include <algorithm>
#include <string>

#include "crypto/hash/blake2b.h"
#include "crypto/sealed/ring.h"
#include "services/gateway/federation/session_wire.h"

namespace comity::gateway {
namespace {

constexpr std::size_t kMaxLists = 16;
constexpr std::size_t kMaxProbes = 32;
constexpr std::size_t kMaxBlinded = 256;  // probes x lists

tl::unexpected<Error> Wrong(const char* what) {
  return Fail(ErrorCode::kInvalidArgument, std::string("sealed session: ") + what);
}

Result<matching::SealedProbe> ProbeOf(const v1::SealedProbe& proto, std::size_t lists,
                                      const Digest& message) {
  matching::SealedProbe probe;
  if (proto.sequence() == 0) return Wrong("probes are numbered from 1");
  if (proto.track().size() != probe.track.size()) return Wrong("a track has 16 octets");
  if (static_cast<std::size_t>(proto.blinded_size()) != lists) return Wrong("a c'' for each list");
  COMITY_ASSIGN_OR_RETURN(probe.claims.commitments, CommitmentsOf(proto.commitments()));
  probe.claims.sequence = proto.sequence();
  if (auto agreement = FromProto(proto.agreement()); agreement) {
    probe.claims.agreement = *agreement;
  }
  probe.claims.message = message;
  std::ranges::copy(AsBytes(proto.track()), probe.track.begin());
  for (const std::string& blinded : proto.blinded()) {
    if (blinded.size() != sealed::kElementBytes) return Wrong("a c'' has 3072 octets");
    probe.blinded.push_back(hash::Blake2b256({AsBytes(blinded)}));
  }
  return probe;
}

}  // namespace

Result<std::vector<matching::SealedListRef>> SealedRefsOf(
    const google::protobuf::RepeatedPtrField<v1::SealedListRef>& refs) {
  const auto count = static_cast<std::size_t>(refs.size());
  if (count == 0 || count > kMaxLists) return Wrong("1 to 16 lists");
  std::vector<matching::SealedListRef> lists;
  for (const v1::SealedListRef& ref : refs) {
    if (ref.list().size() != Digest::kSize || ref.state().size() != Digest::kSize) {
      return Wrong("a digest has 32 octets");
    }
    lists.push_back({DigestOf(ref.list()), ref.sequence(), DigestOf(ref.state())});
  }
  return lists;
}

Result<SealedQuestion> SealedProbesOf(const v1::SealedProbes& probes, std::size_t lists,
                                      const Digest& message) {
  const auto count = static_cast<std::size_t>(probes.probes_size());
  if (count == 0 || count > kMaxProbes || count * lists > kMaxBlinded) {
    return Wrong("1 to 32 probes, and at most 256 with those of every list");
  }
  SealedQuestion question;
  COMITY_ASSIGN_OR_RETURN(question.lists, SealedRefsOf(probes.lists()));
  if (question.lists.size() != lists || static_cast<std::size_t>(probes.bindings_size()) != lists) {
    return Wrong("a state and a binding for each list");
  }
  for (const v1::SealedProbe& proto : probes.probes()) {
    COMITY_ASSIGN_OR_RETURN(auto probe, ProbeOf(proto, lists, message));
    question.probes.push_back(std::move(probe));
  }
  return question;
}

}  // namespace comity::gateway
