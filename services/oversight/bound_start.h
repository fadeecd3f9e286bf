// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "crypto/base/result.h"
#include "services/oversight/erasure_ledger.h"
#include "services/store/store.h"

namespace comity::oversight {

// Tables of the database that are bound to the key-encryption key (services/store/bound_tables.h),
// and what the erasure ledger, which lies outside the database, knows of them: that they were
// bound, so that nobody has them bound anew by taking the authenticators away; and how often each
// was written, so that an older state of one is noticed.

// Binds the tables of a database that never was bound (a new one, or one of a former schema), and
// those of a backup's copy, and has the ledger say so; of any other it expects what the ledger
// knows. A table that is not as it must be is no error here: whoever reads it is refused.
// Returns whether they were bound for the first time.
Result<bool> BindTables(store::Store& store, ErasureLedger& ledger);
// The same without binding: for a database that is opened again.
Status ExpectMarked(const store::Store& store, const ErasureLedger& ledger);

// Notes in the ledger how long the log is and how often each table was written, all durable.
// Returns the log's size.
Result<std::uint64_t> MarkLedger(const store::Store& store, ErasureLedger& ledger);

}  // namespace comity::oversight
