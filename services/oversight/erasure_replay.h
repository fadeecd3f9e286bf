// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "crypto/base/result.h"
#include "services/oversight/erasure_ledger.h"
#include "services/runtime/clock.h"
#include "services/store/store.h"

namespace comity::oversight {

struct Replayed {
  std::uint64_t lines = 0;    // that the database did not have yet
  std::uint64_t records = 0;  // that were there and were erased
};

// Brings a database up to its ledger, before anything else reads it: erases every record that a
// line names which the database does not have yet. After a crash that is at most the line of the
// unit of work that did not commit; after a backup was put back it is everything erased since.
//
// In:     store  opened without a ledger, so that a replay writes no line
// Errors: kCorrupt  the ledger does not hold the line that the database ended at: it is older than
//                   the database, or another node's. Without it nobody knows what was erased.
Result<Replayed> ReplayErasures(store::Store& store, ErasureLedger& ledger,
                                const runtime::Clock& clock);

}  // namespace comity::oversight
