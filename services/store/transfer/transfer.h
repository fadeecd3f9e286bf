// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>

#include "crypto/base/result.h"
#include "services/store/postgres/postgres_store.h"
#include "services/store/retention_store.h"

// Rows from one database to the other: the backup of a node over PostgreSQL is a SQLite file like
// any other's, and a node is carried over from SQLite to PostgreSQL, whether it worked until now or
// was put back from a backup.
namespace comity::store {

// Writes the PostgreSQL database as it stands now into the new file `copy`, while a gateway is at
// work on it, and marks the copy as CopySqliteStore does.
//
// Errors: kUnavailable  the file is there already, the disk is full, the line was lost; those of
//         the database
Result<RestorationRecord> CopyPostgresStore(const PostgresOptions& options,
                                            const std::filesystem::path& copy,
                                            RestorationRecord restoration);

struct Imported {
  std::uint64_t tables = 0;
  std::uint64_t rows = 0;
};

// Carries all rows of `database`, a SQLite file with the schema of this program that no process has
// open, over into the PostgreSQL database of `options`, which is made ready first and must hold no
// record: all in one transaction.
//
// In:     options  with migration_url: as the owner of the tables
// Errors: kInvalidArgument  no migration_url
//         kConflict         the database holds records already
//         those of OpenPostgresStore and of SQLite
Result<Imported> ImportIntoPostgres(const std::filesystem::path& database,
                                    const PostgresOptions& options);

}  // namespace comity::store
