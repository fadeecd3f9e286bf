// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include "comity/v1/exchange.pb.h"
#include "comity/v1/types.pb.h"
#include "crypto/base/bytes.h"
#include "crypto/base/result.h"
#include "services/gateway/wire/convert_policy.h"
#include "services/gateway/wire/convert_time.h"
#include "services/matching/holder_ports.h"

// What direct and sealed sessions say alike, read and written at the holder.
namespace comity::gateway {

// How long a session outlives what it is for: the requester's call ends then, and the holder ends
// it and gives back what it holds for it.
inline constexpr std::chrono::seconds kSessionGrace{60};

// In:     octets  32 of them
Digest DigestOf(const std::string& octets);
// The case's may be absent: no case stands behind the search, which a purpose can refuse.
// Errors: kInvalidArgument  not 32 octets
Result<matching::SearchCommitments> CommitmentsOf(const v1::SearchCommitments& proto);

v1::Hit HitToProto(const matching::ReleasedHit& hit);

struct OpenedBy {
  const policy::AgencyId& requester;
  const policy::AgencyId& holder;
  const Digest& message;  // digest of the signed message that opens
};
// In:     open  SearchOpen or SealedOpen; verified
// Errors: those of the fields
template <typename Open>
Result<matching::SearchTerms> TermsOf(const Open& open, const OpenedBy& by) {
  matching::SearchTerms terms;
  COMITY_ASSIGN_OR_RETURN(terms.request, FromProto(open.terms(), by.requester, by.holder));
  COMITY_ASSIGN_OR_RETURN(terms.ends_at, FromProto(open.ends_at()));
  COMITY_ASSIGN_OR_RETURN(terms.commitments, CommitmentsOf(open.commitments()));
  terms.exchange = open.header().exchange_id();
  terms.deployment = open.deployment();
  terms.message = by.message;
  return terms;
}

}  // namespace comity::gateway
