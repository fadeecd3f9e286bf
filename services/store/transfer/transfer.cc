// SPDX-License-Identifier: Apache-2.0
#include "services/store/transfer/transfer.h"

#include <atomic>
#include <memory>
#include <string>
#include <system_error>
#include <utility>

#include "services/store/postgres/postgres_import.h"
#include "services/store/postgres/postgres_reader.h"
#include "services/store/postgres/postgres_url.h"
#include "services/store/sql/guarded_call.h"
#include "services/store/sql/query.h"
#include "services/store/sqlite/sqlite_connection.h"
#include "services/store/sqlite/sqlite_store.h"
#include "services/store/transfer/row_copy.h"

namespace comity::store {
namespace {

using Mode = SqliteConnection::Mode;

// The largest number that the table's counter gave, also if its row is gone since; 0: none.
std::int64_t CounterOf(Connection& sqlite, const TableShape& table) {
  if (table.counter.empty()) return 0;
  Query row(sqlite, "SELECT seq FROM sqlite_sequence WHERE name = ?", table.name);
  return row.Next() ? row.Integer(0) : 0;
}

// A file of this name with the schema of this program and no row.
Status MakeEmpty(const std::filesystem::path& copy) {
  std::error_code ignored;
  if (std::filesystem::exists(copy, ignored)) {
    return Fail(ErrorCode::kUnavailable, copy.string() + " is there already");
  }
  return MakeSqliteFile(copy);
}

}  // namespace

Result<RestorationRecord> CopyPostgresStore(const PostgresOptions& options,
                                            const std::filesystem::path& copy,
                                            RestorationRecord restoration) {
  COMITY_ASSIGN_OR_RETURN(const PostgresUrl url,
                          PostgresUrl::Parse(options.url, options.password_file));
  COMITY_RETURN_IF_ERROR(MakeEmpty(copy));
  RowCopy rows(RowCopy::Reading::kByCursor);  // outlives the connections
  LineWatch watch(options.stop);
  const std::atomic<std::uint64_t> line{0};
  COMITY_ASSIGN_OR_RETURN(const auto source,
                          PostgresReader::Open(url, watch, options.call_timeout, line));
  {
    COMITY_ASSIGN_OR_RETURN(const auto target, SqliteConnection::Open(copy, Mode::kReadWrite));
    COMITY_RETURN_IF_ERROR(GuardedCall("copy the database", [&]() -> Status {
      source->BeginRead();
      target->Begin();
      for (const TableShape& table : TablesOf(*target)) {
        rows.Copy(*source, *target, table);
        rows.CopyCounter(*source, *target, table);
      }
      target->Commit();
      source->Abandon();
      return {};
    }));
  }
  return MarkSqliteCopy(copy, std::move(restoration));
}

Result<Imported> ImportIntoPostgres(const std::filesystem::path& database,
                                    const PostgresOptions& options) {
  RowCopy rows(RowCopy::Reading::kByStepping);  // outlives the connections
  LineWatch watch(options.stop);
  COMITY_ASSIGN_OR_RETURN(const auto source, SqliteConnection::Open(database, Mode::kReadOnly));
  COMITY_ASSIGN_OR_RETURN(const auto target, PostgresImport::Open(options, watch));
  return GuardedCall("carry the database over", [&]() -> Result<Imported> {
    Imported imported;
    source->BeginRead();
    target->Begin();
    const auto tables = TablesOf(*source);
    for (const TableShape& table : tables) {
      COMITY_RETURN_IF_ERROR(target->ExpectEmpty(table.name));
    }
    for (const TableShape& table : tables) {
      imported.rows += rows.Copy(*source, *target, table);
      target->SetCounters(table.name, CounterOf(*source, table));
      ++imported.tables;
    }
    target->Commit();
    source->Abandon();
    return imported;
  });
}

}  // namespace comity::store
