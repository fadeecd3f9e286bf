// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <memory>

#include "crypto/base/result.h"
#include "crypto/base/secret.h"
#include "services/store/erasure.h"
#include "services/store/retention_store.h"
#include "services/store/store.h"

namespace comity::store {

// Opens the embedded database in `directory` (made with mode 0700 if absent) and brings its schema
// up to date. The directory belongs to one process at a time; the returned store holds its lock.
//
// In:     directory  on a local file system: locks and memory maps of SQLite's WAL need one
// Errors: kUnavailable  another process holds the directory, it is not writable, the disk is full
//         kConflict     the schema is newer than this program
//         kCorrupt      comity.db is not a database of this program, or is damaged
// In:     ledger     told of all that is erased before it is; null: nobody is; must outlive the
//                    store
//         kek        the key-encryption key, of which tables are bound (bound_tables.h); null: they
//                    are neither checked nor bound. Secret: kek
Result<std::unique_ptr<Store>> OpenSqliteStore(const std::filesystem::path& directory,
                                               ErasureLedger* ledger = nullptr,
                                               const SecretBytes* kek = nullptr);

// Writes the database of `directory` as it stands now into the new file `copy`, while the store is
// open and at work, and marks the copy as one: whichever gateway opens it knows that it was
// restored. `restoration` says from what; its state becomes kCopy and its log size that of the
// copy, which is returned.
//
// Errors: kUnavailable  the file is there already, or the disk is full; those of the database
Result<RestorationRecord> CopySqliteStore(const std::filesystem::path& directory,
                                          const std::filesystem::path& copy,
                                          RestorationRecord restoration);
// Makes the new file `file`, mode 0600, an empty database with the schema of this program.
// Errors: those of OpenSqliteStore
Status MakeSqliteFile(const std::filesystem::path& file);

// What CopySqliteStore does to a file that holds a copy already.
Result<RestorationRecord> MarkSqliteCopy(const std::filesystem::path& copy,
                                         RestorationRecord restoration);

int SqliteSchemaVersion();  // of what this program writes

}  // namespace comity::store
