// SPDX-License-Identifier: Apache-2.0
#include "services/store/sqlite/sqlite_connection.h"

#include <sqlite3.h>

#include <string>
#include <utility>

#include "crypto/base/check.h"
#include "services/store/sqlite/sqlite_error.h"
#include "services/store/sqlite/sqlite_statement.h"

namespace comity::store {
namespace {

// Only checkpoints and a backup program can make a connection wait: the directory has one process
// and that has one writer.
constexpr int kBusyTimeoutMs = 5000;

}  // namespace

SqliteConnection::SqliteConnection(const std::filesystem::path& file, int flags)
    : database_(file.string(), flags | SQLite::OPEN_NOMUTEX, kBusyTimeoutMs) {}

Result<std::unique_ptr<SqliteConnection>> SqliteConnection::Open(const std::filesystem::path& file,
                                                                 Mode mode) {
  using Opened = Result<std::unique_ptr<SqliteConnection>>;
  return GuardedSqliteCall("open " + file.string(), [&]() -> Opened {
    const int flags = mode == Mode::kReadOnly ? SQLite::OPEN_READONLY
                                              : SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE;
    std::unique_ptr<SqliteConnection> connection(new SqliteConnection(file, flags));
    connection->Configure(mode);
    return connection;
  });
}

void SqliteConnection::Configure(Mode mode) {
  // Data of the file never run as code of the schema's making, and damage is noticed early.
  database_.exec("PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON;");
  if (mode == Mode::kReadOnly) {
    // The second one reads: SQLite opens the write-ahead log with the first reading, not before.
    database_.exec("PRAGMA query_only = ON; PRAGMA schema_version;");
    return;
  }
  database_.exec(
      "PRAGMA synchronous = FULL;"  // an acknowledged commit survives a loss of power
      "PRAGMA foreign_keys = ON;"
      "PRAGMA secure_delete = ON;"  // erased octets are overwritten with zeros
      "PRAGMA journal_size_limit = 16777216;");
}

void SqliteConnection::Run(std::string_view sql) {
  std::unique_ptr<Statement> statement = Take(sql);
  statement->Run();
  GiveBack(sql, std::move(statement));
}

void SqliteConnection::Begin() {
  Run("BEGIN IMMEDIATE");
}

void SqliteConnection::BeginRead() {
  Run("BEGIN");
}

void SqliteConnection::Commit() {
  Run("COMMIT");
}

bool SqliteConnection::InTransaction() const {
  return ::sqlite3_get_autocommit(database_.getHandle()) == 0;
}

void SqliteConnection::Abandon() noexcept {
  if (InTransaction()) static_cast<void>(database_.tryExec("ROLLBACK"));
  COMITY_CHECK(!InTransaction());  // a rollback without a transaction left open cannot fail
}

void SqliteConnection::OpenSavepoint() {
  Run("SAVEPOINT step");
}

void SqliteConnection::KeepSavepoint() {
  Run("RELEASE step");
}

void SqliteConnection::UndoSavepoint() {
  Run("ROLLBACK TO step");
  Run("RELEASE step");
}

std::unique_ptr<Statement> SqliteConnection::Take(std::string_view sql) {
  const auto found = idle_.find(sql);
  if (found == idle_.end()) return std::make_unique<SqliteStatement>(database_, sql);
  auto statement = std::move(found->second);
  idle_.erase(found);
  return statement;
}

void SqliteConnection::GiveBack(std::string_view sql,
                                std::unique_ptr<Statement> statement) noexcept {
  // A statement that is not reset keeps its snapshot open.
  static_cast<SqliteStatement&>(*statement).Reset();
  idle_.insert_or_assign(sql, std::move(statement));
}

void SqliteConnection::FlushErasure() noexcept {
  ::sqlite3* handle = database_.getHandle();
  ::sqlite3_busy_timeout(handle, 0);  // a long read must not hold up the writer
  const int code =
      ::sqlite3_wal_checkpoint_v2(handle, nullptr, SQLITE_CHECKPOINT_TRUNCATE, nullptr, nullptr);
  ::sqlite3_busy_timeout(handle, kBusyTimeoutMs);
  if (code == SQLITE_OK) set_erasure_done();
}

}  // namespace comity::store
