// SPDX-License-Identifier: Apache-2.0
#include "services/store/sqlite/connection.h"

#include <sqlite3.h>

#include <utility>

#include "crypto/base/check.h"
#include "services/store/sqlite/guarded_call.h"

namespace comity::store {
namespace {

// Only checkpoints and a backup program can make a connection wait: the directory has one process
// and that has one writer.
constexpr int kBusyTimeoutMs = 5000;

}  // namespace

Connection::Connection(const std::filesystem::path& file, int flags)
    : database_(file.string(), flags | SQLite::OPEN_NOMUTEX, kBusyTimeoutMs) {}

Result<std::unique_ptr<Connection>> Connection::Open(const std::filesystem::path& file, Mode mode) {
  return GuardedCall("open " + file.string(), [&]() -> Result<std::unique_ptr<Connection>> {
    const int flags = mode == Mode::kReadOnly ? SQLite::OPEN_READONLY
                                              : SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE;
    std::unique_ptr<Connection> connection(new Connection(file, flags));
    connection->Configure(mode);
    return connection;
  });
}

void Connection::Configure(Mode mode) {
  // Data of the file never run as code of the schema's making, and damage is noticed early.
  database_.exec("PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON;");
  if (mode == Mode::kReadOnly) {
    database_.exec("PRAGMA query_only = ON");
    return;
  }
  database_.exec(
      "PRAGMA synchronous = FULL;"  // an acknowledged commit survives a loss of power
      "PRAGMA foreign_keys = ON;"
      "PRAGMA secure_delete = ON;"  // erased octets are overwritten with zeros
      "PRAGMA journal_size_limit = 16777216;");
}

bool Connection::InTransaction() const {
  return ::sqlite3_get_autocommit(database_.getHandle()) == 0;
}

void Connection::Abandon() noexcept {
  if (InTransaction()) static_cast<void>(database_.tryExec("ROLLBACK"));
  COMITY_CHECK(!InTransaction());  // a rollback without a transaction left open cannot fail
}

std::unique_ptr<SQLite::Statement> Connection::Take(std::string_view sql) {
  const auto found = idle_.find(sql);
  if (found == idle_.end()) {
    return std::make_unique<SQLite::Statement>(database_, std::string(sql));
  }
  auto statement = std::move(found->second);
  idle_.erase(found);
  return statement;
}

void Connection::GiveBack(std::string_view sql,
                          std::unique_ptr<SQLite::Statement> statement) noexcept {
  // A statement that is not reset keeps its snapshot open. Its last error was reported by its step.
  static_cast<void>(statement->tryReset());
  idle_.insert_or_assign(sql, std::move(statement));
}

void Connection::FlushErasure() noexcept {
  ::sqlite3* handle = database_.getHandle();
  ::sqlite3_busy_timeout(handle, 0);  // a long read must not hold up the writer
  const int code =
      ::sqlite3_wal_checkpoint_v2(handle, nullptr, SQLITE_CHECKPOINT_TRUNCATE, nullptr, nullptr);
  ::sqlite3_busy_timeout(handle, kBusyTimeoutMs);
  if (code == SQLITE_OK) erasure_pending_ = false;
}

}  // namespace comity::store
