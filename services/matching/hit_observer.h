// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "crypto/base/result.h"
#include "policy/model/decision.h"
#include "policy/model/ids.h"
#include "services/audit/journal.h"
#include "services/store/store.h"

namespace comity::matching {

// A probe that was permitted and answered.
struct ObservedSearch {
  const policy::AgencyId& partner;   // the other agency
  const policy::Decision& decision;  // the permit: agreement and clauses
  std::string officer;   // who answers for it; at a holder a pseudonym of the day; may be empty
  std::string case_ref;  // the same of the case
};

// Of which entries an answer tells the requester. What of them: the decision's releases.
struct ReleasedEntries {
  const policy::AgencyId& partner;
  const policy::Decision& decision;
  const std::string& answer;  // exchange id of the answer
  struct Entry {
    policy::WatchlistId list;
    std::string reference;
  };
  std::vector<Entry> entries;
};

// Remembers who was told of what, within the unit of work that records the hit.
// Errors: nothing may be answered then. Threads: thread-safe.
using RememberReleased =
    std::function<Status(store::Transaction&, audit::Recorder&, const ReleasedEntries&)>;

// Is told of every answered probe: what watches for harvesting (SM-11).
//
// Threads: implementations are thread-safe.
class HitObserver {
 public:
  virtual ~HitObserver() = default;
  virtual void OnMiss(const ObservedSearch& search) = 0;
  // Within the unit of work that records the hit; what it writes commits with it. Returns whether
  // an alarm stops the searches under the agreement from this unit of work on.
  // In:     entries  what tells each entry that was hit from others, not empty
  // Errors: nothing may be answered then
  virtual Result<bool> OnHits(store::Transaction& transaction, audit::Recorder& recorder,
                              const ObservedSearch& search,
                              std::span<const std::string> entries) = 0;
  // A sealed probe that met more entries than may be, or was no honest one: within the unit of work
  // that records it. Returns as OnHits. Errors: nothing may be answered then
  virtual Result<bool> OnOverCap(store::Transaction& transaction, audit::Recorder& recorder,
                                 const ObservedSearch& search) = 0;
  // Once that unit of work is durable, before the answer is given.
  virtual void AfterHits() = 0;
};

}  // namespace comity::matching
