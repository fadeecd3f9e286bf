// SPDX-License-Identifier: Apache-2.0
#include "services/store/sqlite/migrations.h"

#include <fmt/format.h>

#include "services/store/sqlite/sqlite_connection.h"
#include "services/store/sqlite/sqlite_error.h"

namespace comity::store {
namespace {

constexpr std::int64_t kApplicationId = 0x434D5459;  // "CMTY" in the file's header

std::int64_t Number(SqliteConnection& connection, const char* sql) {
  return connection.database().execAndGet(sql).getInt64();
}

// The version of the schema, 0 for an empty database.
Result<std::int64_t> VersionOf(SqliteConnection& connection) {
  const std::int64_t application = Number(connection, "PRAGMA application_id");
  if (application == 0 && Number(connection, "SELECT count(*) FROM sqlite_master") == 0) return 0;
  if (application != kApplicationId) {
    return Fail(ErrorCode::kCorrupt, "comity.db is the database of another program");
  }
  return Number(connection, "SELECT coalesce(max(version), 0) FROM schema_version");
}

// The same, if this program may work with it.
Result<std::int64_t> KnownVersionOf(SqliteConnection& connection,
                                    std::span<const Migration> migrations) {
  COMITY_ASSIGN_OR_RETURN(const std::int64_t version, VersionOf(connection));
  const int newest = migrations.back().version;
  if (version <= newest) return version;
  return Fail(ErrorCode::kConflict,
              fmt::format("comity.db has schema {}, this program knows up to {}; run the program "
                          "that wrote it, or a later one",
                          version, newest));
}

void Apply(SqliteConnection& connection, const Migration& migration) {
  connection.database().exec(migration.sql);
  connection.database().exec(
      fmt::format("INSERT INTO schema_version (version) VALUES ({})", migration.version));
}

Status MigrateInTransaction(SqliteConnection& connection, std::span<const Migration> migrations) {
  COMITY_ASSIGN_OR_RETURN(const std::int64_t version, KnownVersionOf(connection, migrations));
  for (const Migration& migration : migrations) {
    if (migration.version > version) Apply(connection, migration);
  }
  if (version == 0) {
    connection.database().exec(fmt::format("PRAGMA application_id = {}", kApplicationId));
  }
  return {};
}

// Only for a database of ours or an empty one: it writes to the file.
Status SwitchToWriteAheadLog(SqliteConnection& connection) {
  COMITY_RETURN_IF_ERROR(VersionOf(connection));
  const std::string mode =
      connection.database().execAndGet("PRAGMA journal_mode = WAL").getString();
  if (mode == "wal") return {};
  return Fail(ErrorCode::kUnavailable,
              "the data directory's file system cannot hold SQLite's write-ahead log; use a local "
              "one");
}

}  // namespace

Status Migrate(SqliteConnection& connection, std::span<const Migration> migrations) {
  return GuardedSqliteCall("prepare comity.db", [&]() -> Status {
    COMITY_RETURN_IF_ERROR(SwitchToWriteAheadLog(connection));
    SQLite::Transaction transaction(connection.database(), SQLite::TransactionBehavior::IMMEDIATE);
    COMITY_RETURN_IF_ERROR(MigrateInTransaction(connection, migrations));
    transaction.commit();
    return {};
  });
}

Result<std::int64_t> SchemaOf(SqliteConnection& connection, std::span<const Migration> migrations) {
  return GuardedSqliteCall("read the schema of comity.db",
                           [&] { return KnownVersionOf(connection, migrations); });
}

}  // namespace comity::store
