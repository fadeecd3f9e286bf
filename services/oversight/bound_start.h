// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "crypto/base/result.h"
#include "policy/model/ids.h"
#include "services/audit/journal.h"
#include "services/identity/notices.h"
#include "services/oversight/erasure_ledger.h"
#include "services/runtime/clock.h"
#include "services/runtime/logging.h"
#include "services/store/store.h"

namespace comity::oversight {

// Tables of the database that are bound to the key-encryption key (services/store/bound_tables.h),
// and what the erasure ledger, which lies outside the database, knows of them: that they were
// bound, so that nobody has them bound anew by taking the authenticators away; and how often each
// was written, so that an older state of one is noticed.

// Binds the tables of a database that never was bound (a new one, or one of a former schema), and
// those of a backup's copy, and has the ledger say so; of any other it expects what the ledger
// knows. A table that is not as it must be is no error here: whoever reads it is refused. In a
// copy, which has the authenticators of the moment of the backup, it is bound all the same, since
// an older copy may not be there: what was found is kept for TellOfBinding.
Status BindTables(store::Store& store, ErasureLedger& ledger);
// The same without binding, for a database that is opened again: what it holds now, too, is what it
// has at least from now on.
Status ExpectMarked(const store::Store& store, const ErasureLedger& ledger);

// Tells the log and people of a binding that they have not been told of, this start's or that of
// one which did not get so far: how many rows of each table were bound, and which tables of a copy
// were not as their authenticators say; or that what was kept to be told was changed.
struct BindingPorts {
  const store::Store& store;
  ErasureLedger& ledger;
  audit::Journal& journal;
  identity::Notices& notices;
  policy::AgencyId own;
  const runtime::Clock& clock;
  runtime::Logger& logger;
};
Status TellOfBinding(const BindingPorts& ports);

// Notes in the ledger how long the log is and how often each table was written, all durable.
// Returns the log's size.
Result<std::uint64_t> MarkLedger(const store::Store& store, ErasureLedger& ledger);

}  // namespace comity::oversight
