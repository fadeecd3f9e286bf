// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "policy/decide/agreement_set.h"
#include "policy/model/decision.h"
#include "policy/model/instant.h"

namespace comity::policy {

// One field of a request that would have to be another.
struct RequestChange {
  std::string field;  // of SearchRequest, e.g. threshold
  std::string words;  // what it would have to be, and why: "0.64 or more instead of 0.6"
};

// The permission that is nearest to a request: with the fewest fields changed it would permit it.
struct Nearest {
  AgreementRef agreement;
  std::string permission;
  std::vector<RequestChange> changes;
  SearchRequest
      request;  // with the changes made, and no other; Decide permits it, but for capacity
};

// Looks through every permission for this requester of every agreement that is in force. Who asks
// is never changed. Absent: nobody permits this requester anything now.
//
// Threads: pure function; safe from any thread.
std::optional<Nearest> FindNearest(const AgreementSet& set, const SearchRequest& request,
                                   Instant now);

}  // namespace comity::policy
