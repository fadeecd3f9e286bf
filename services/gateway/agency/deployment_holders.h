// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "policy/decide/agreement_set.h"
#include "policy/model/ids.h"
#include "policy/model/instant.h"

namespace comity::gateway {

// An agency that a search asks, and the agreements under which, the preferred one first.
struct AskedHolder {
  policy::AgencyId holder;
  std::vector<policy::AgreementId> agreements;
  bool operator==(const AskedHolder&) const = default;
};

// The other parties of these agreements, by agency id. Whether each may be asked is decided for
// each probe. Empty: this gateway knows none of the agreements.
std::vector<AskedHolder> HoldersOf(const std::vector<policy::AgreementId>& agreements,
                                   const policy::AgreementSet& set, const policy::AgencyId& self,
                                   policy::Instant now);

// Those that some agreement's current version lets `self` search, by agency id.
std::vector<AskedHolder> AllHolders(const policy::AgreementSet& set, const policy::AgencyId& self,
                                    policy::Instant now);

}  // namespace comity::gateway
