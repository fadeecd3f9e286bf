// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "crypto/base/result.h"
#include "crypto/sign/ed25519.h"
#include "policy/model/agreement.h"
#include "services/agreements/catalogue.h"

namespace comity::agreements {

// Whose keys this gateway trusts: its own and those pinned for its peers.
struct TrustedKeys {
  policy::AgencyId own;
  sign::PublicKey own_key;
  std::map<policy::AgencyId, sign::PublicKey> peers;
};

// In:     document  untrusted; its length has been checked
// Errors: kInvalidArgument  every fault with line and column, one a line
Result<HeldVersion> ReadDocument(std::string_view document);

// Errors: kPermissionDenied  own agency is no party, a party is no pinned peer, or a party's agency
//                            key is not the trusted one
Status CheckParties(const policy::Agreement& agreement, const TrustedKeys& keys);

// Whether `version` may join `catalogue`; true if it is there already.
// Errors: kConflict  a higher version, or another document of this version, is known; or the id is
//                    one of an agreement between other agencies
Result<bool> CheckSuccession(const HeldVersion& version, const Catalogue& catalogue);

// The party that is not `own`.
const policy::AgencyId& OtherParty(const policy::Agreement& agreement, const policy::AgencyId& own);

}  // namespace comity::agreements
