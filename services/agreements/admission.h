// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "crypto/base/result.h"
#include "policy/agreement/statement.h"
#include "policy/agreement/status.h"
#include "policy/model/agreement.h"
#include "policy/model/instant.h"
#include "policy/model/key_history.h"
#include "services/agreements/catalogue.h"

namespace comity::agreements {

// Whose keys this gateway trusts, over time: its own and those of its peers.
struct TrustedKeys {
  policy::AgencyId own;
  policy::KeyHistories histories;
};

// In:     document  untrusted; its length has been checked
// Errors: kInvalidArgument  every fault with line and column, one a line
Result<HeldVersion> ReadDocument(std::string_view document);

// In:     received_at  when the document came: the agency keys that it names must have spoken then
// Errors: kPermissionDenied  own agency is no party, a party is no enrolled peer, or a party's
//                            agency key is not a trusted one; or no key speaks for it at `now`
Status CheckParties(const policy::Agreement& agreement, const TrustedKeys& keys,
                    policy::Instant received_at, policy::Instant now);

// Whether `version` may join `catalogue`; true if it is there already.
// Errors: kConflict  a higher version, or another document of this version, is known; or the id is
//                    one of an agreement between other agencies
Result<bool> CheckSuccession(const HeldVersion& version, const Catalogue& catalogue);

// What a peer may not do to agreement versions, however validly it signs.
// Errors: kConflict   too far above the highest known version
//         kExhausted  as many versions with it are held as one peer may deliver
Status CheckPeersVersion(const HeldVersion& version, const policy::AgencyId& peer,
                         const Catalogue& catalogue);

// What own people may not state of a version in this state, because it would say nothing, or more
// than they mean. (What the other party's people stated counts in any case.)
// Errors: kConflict  says what to do instead
Status CheckTimely(const policy::Statement& statement, const policy::StatementState& state);

// Whether one of a person may be added to those on the version. One person has no room of another.
// Errors: kExhausted
Status CheckPersonsRoom(const policy::Statement& statement, const HeldVersion& version);

// Whether one of the party's people may be added to all that are held of them on versions with the
// other. Own people are bound as well: what the partner would refuse is refused where it is said.
// Errors: kExhausted
Status CheckPartysRoom(const policy::AgencyId& party, const policy::AgencyId& other,
                       const Catalogue& catalogue);

// Whether it is taken beyond these bounds: it stops something, and what it says does not hold yet.
bool StopsMore(const policy::Statement& statement, const HeldVersion& version);

// Whether it is taken beyond a person's room: the person's first resumption of what the own side
// has suspended, which holds for every higher version too and would else be stopped for good.
bool LiftsWhatIsOpen(const policy::Statement& statement, const HeldVersion& version);

// The party that is not `own`.
const policy::AgencyId& OtherParty(const policy::Agreement& agreement, const policy::AgencyId& own);

}  // namespace comity::agreements
