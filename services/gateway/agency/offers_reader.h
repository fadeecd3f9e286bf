// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "comity/v1/recognition.pb.h"
#include "crypto/base/result.h"
#include "policy/model/ids.h"
#include "services/audit/journal.h"
#include "services/gateway/federation/peer_links.h"
#include "services/runtime/clock.h"

namespace comity::gateway {

// What a partner sends is shown to people, and decides nothing; it is bounded all the same.
// Errors: kInvalidArgument  more offers, or more categories, roles, uses or entries in one, than
//                           there can be
Status CheckOffers(const v1::ListOffersReply& reply);

// Asks partners, beside each other, what they let this agency search now.
//
// Threads: thread-safe.
class OffersReader {
 public:
  struct Ports {
    policy::AgencyId self;
    const PeerLinks& peers;
    audit::Journal& journal;
    const runtime::Clock& clock;
  };
  // References must outlive the object.
  explicit OffersReader(Ports ports) : ports_(std::move(ports)) {}

  // In:     holder  an agency id; empty: all partners that are not suspended
  // Errors: kNotFound  no such partner; kPermissionDenied  it is suspended here; kInvalidArgument
  Result<v1::OffersResponse> Read(const std::string& holder, const policy::PersonId& person) const;

 private:
  v1::HolderOffers ReadOne(const policy::AgencyId& holder, const policy::PersonId& person) const;
  Status Record(const policy::AgencyId& holder, const policy::PersonId& person,
                const PeerLinks::Offered& offered) const;

  const Ports ports_;
};

}  // namespace comity::gateway
