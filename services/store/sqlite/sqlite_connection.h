// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <SQLiteCpp/SQLiteCpp.h>

#include <filesystem>
#include <map>
#include <memory>
#include <string_view>

#include "crypto/base/result.h"
#include "services/store/sql/connection.h"

namespace comity::store {

// One SQLite connection with its prepared statements.
//
// Threads: thread-compatible; opened without SQLite's own mutex, so one thread at a time.
class SqliteConnection final : public Connection {
 public:
  enum class Mode { kReadOnly, kReadWrite };
  static Result<std::unique_ptr<SqliteConnection>> Open(const std::filesystem::path& file,
                                                        Mode mode);

  // For what is done outside units of work: its exceptions are SQLiteCpp's (sqlite_error.h).
  SQLite::Database& database() { return database_; }

  void Begin() override;
  void BeginRead() override;
  void Commit() override;
  // SQLite rolls back by itself after some disk errors.
  bool InTransaction() const override;
  void Abandon() noexcept override;
  void OpenSavepoint() override;
  void KeepSavepoint() override;
  void UndoSavepoint() override;
  std::unique_ptr<Statement> Take(std::string_view sql) override;
  void GiveBack(std::string_view sql, std::unique_ptr<Statement> statement) noexcept override;
  // Moves the write-ahead log into the database, where secure_delete has zeroed what was erased,
  // and empties it. Does nothing, to be repeated later, while a reader still needs the log.
  void FlushErasure() noexcept override;
  std::string_view ForeignCode() const override {
    return "SELECT name FROM sqlite_master WHERE type = 'view'"
           " OR (type = 'trigger' AND tbl_name <> 'audit_entry') LIMIT 1";
  }

 private:
  SqliteConnection(const std::filesystem::path& file, int flags);
  void Configure(Mode mode);
  void Run(std::string_view sql);

  SQLite::Database database_;
  std::map<std::string_view, std::unique_ptr<Statement>> idle_;
};

}  // namespace comity::store
