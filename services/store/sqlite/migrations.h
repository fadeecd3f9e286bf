// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>

#include "crypto/base/result.h"

namespace comity::store {

class SqliteConnection;

// One numbered step of the schema: services/store/schema/NNNN_name.sql.
struct Migration {
  int version = 0;
  const char* sql = nullptr;
};

// All steps in ascending order, put into the binary when it is built.
std::span<const Migration> EmbeddedMigrations();

// Checks that the database is one of this program (or empty) and applies the steps it lacks, all in
// one transaction.
// Errors: kConflict  the schema is newer than this program; kCorrupt  another program's database
Status Migrate(SqliteConnection& connection, std::span<const Migration> migrations);

// The version of the schema as it stands, 0 for an empty database. Writes nothing.
// Errors: those of Migrate
Result<std::int64_t> SchemaOf(SqliteConnection& connection, std::span<const Migration> migrations);

}  // namespace comity::store
