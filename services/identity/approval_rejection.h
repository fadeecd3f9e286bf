// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>

#include "crypto/base/result.h"
#include "crypto/base/secret.h"
#include "policy/model/ids.h"
#include "policy/model/instant.h"
#include "services/audit/journal.h"
#include "services/identity/notices.h"
#include "services/store/approval_store.h"
#include "services/store/store.h"

namespace comity::identity {

// Why what somebody proposed is rejected without a decision that anybody signed.
struct Rejection {
  policy::AgencyId own;
  policy::PersonId proposer;
  policy::PersonId by;  // whose act has this consequence
  std::string reason;   // 1..1000 octets of visible text
  policy::Instant at{};
  const SecretBytes& kek;  // 32 octets; vouches for what waits. Secret
};

// Within a unit of work: rejects all that `proposer` proposed and that waits for a second person,
// records each and tells those who propose such acts. What is not in the database as it was
// proposed is ended without its words, and people are told how many. Call Notices::Announce() after
// the commit. Returns how many were rejected. Errors: those of the store
Result<std::size_t> RejectAllOf(store::Transaction& transaction, audit::Recorder& recorder,
                                const Notices& notices, const Rejection& rejection);

// What nobody vouched for ends without its words, which would be its own, and keeps no other from
// being handled.
Status EndCorrupt(store::Transaction& transaction, store::ApprovalRecord act);

}  // namespace comity::identity
