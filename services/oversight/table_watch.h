// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <mutex>
#include <set>
#include <string>

#include "crypto/base/result.h"
#include "policy/model/ids.h"
#include "services/audit/journal.h"
#include "services/identity/notices.h"
#include "services/oversight/erasure_ledger.h"
#include "services/runtime/logging.h"
#include "services/store/bound_tables.h"
#include "services/store/store.h"

namespace comity::oversight {

// Looks whether the bound tables are as the gateway wrote them last. One that is not is said in the
// program's log, in the audit log and to those who oversee, once while this object lives, and what
// rests on it is given up.
//
// Threads: thread-safe.
class TableWatch {
 public:
  struct Ports {
    const store::Store& store;
    audit::Journal& journal;
    identity::Notices& notices;
    ErasureLedger& ledger;
    policy::AgencyId own;
    const runtime::Clock& clock;
    runtime::Logger& logger;
    // Called at each look, for each table that is not to be trusted. Must not call this object.
    std::function<void(store::BoundTable)> distrust;
  };
  // Made after MarkLedger, so that the ledger knows what the first look finds.
  explicit TableWatch(Ports ports) : ports_(std::move(ports)) {}

  // At the start, before anything is served, and about every ten seconds. What people decided since
  // the last look is marked in the ledger.
  // Errors: those of store, journal and ledger; each look is made whole all the same
  Status Look();

 private:
  Status Tell(const store::BoundState& state);
  Status Mark(const std::vector<store::BoundState>& states);

  const Ports ports_;
  std::mutex mutex_;  // one look at a time
  bool has_looked_ = false;
  std::set<store::BoundTable> told_;
  std::array<std::uint64_t, store::kBoundTables.size()> marked_{};
};

}  // namespace comity::oversight
