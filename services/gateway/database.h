// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <stop_token>

#include "crypto/base/result.h"
#include "services/runtime/config.h"
#include "services/store/erasure.h"
#include "services/store/postgres/postgres_store.h"
#include "services/store/retention_store.h"
#include "services/store/store.h"

namespace comity::gateway {

// What the owner of an open database is asked and told.
struct DatabaseOwner {
  // Requested: nothing waits for the database any more.
  std::stop_token stop{};
  // Told once, perhaps by the database's thread, that this program must not write any more: another
  // gateway took over, or the database was put back. Must not call the store.
  std::function<void(const Error&)> on_lost{};
};

// Opens the database that `config` names: SQLite's in the data directory, or the one of [store],
// for which it waits until no other gateway writes to it. Whoever opens the latter holds the
// lock of the data directory (services/runtime/directory_lock.h).
//
// In:     ledger  as of OpenSqliteStore; null: nobody is told of erasures; must outlive the store
//         kek     of which tables are bound; null: they are neither checked nor bound. Secret: kek
// Errors: those of OpenSqliteStore and OpenPostgresStore, with the key of the configuration;
//         kConflict  there are two databases
Result<std::unique_ptr<store::Store>> OpenDatabase(const runtime::Config& config,
                                                   store::ErasureLedger* ledger = nullptr,
                                                   DatabaseOwner owner = {},
                                                   const SecretBytes* kek = nullptr);

// Writes the database as it stands into a new SQLite file, marked as a copy: what a backup holds,
// whichever database the node has. Errors: of CopySqliteStore and CopyPostgresStore
Result<store::RestorationRecord> CopyDatabase(const runtime::Config& config,
                                              const std::filesystem::path& file,
                                              store::RestorationRecord restoration);

}  // namespace comity::gateway
