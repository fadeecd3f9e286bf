// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <SQLiteCpp/SQLiteCpp.h>

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "crypto/base/result.h"

namespace comity::store {

// One SQLite connection with its prepared statements.
//
// Threads: thread-compatible; opened without SQLite's own mutex, so one thread at a time.
class Connection {
 public:
  enum class Mode { kReadOnly, kReadWrite };
  static Result<std::unique_ptr<Connection>> Open(const std::filesystem::path& file, Mode mode);

  SQLite::Database& database() { return database_; }

  // True between BEGIN and COMMIT or ROLLBACK. SQLite rolls back by itself after some disk errors.
  bool InTransaction() const;

  // Rolls the whole transaction back; what its unit of work still tries is refused.
  void Abandon() noexcept;

  // Hands out the prepared statement of `sql`, which must be a literal, and takes it back.
  std::unique_ptr<SQLite::Statement> Take(std::string_view sql);
  void GiveBack(std::string_view sql, std::unique_ptr<SQLite::Statement> statement) noexcept;

  // Something was erased whose old octets may still stand in the write-ahead log.
  void NoteErasure() { erasure_pending_ = true; }
  bool erasure_pending() const { return erasure_pending_; }
  // Moves the write-ahead log into the database, where secure_delete has zeroed what was erased,
  // and empties it. Does nothing, to be repeated later, while a reader still needs the log.
  void FlushErasure() noexcept;

 private:
  Connection(const std::filesystem::path& file, int flags);
  void Configure(Mode mode);

  SQLite::Database database_;
  std::map<std::string_view, std::unique_ptr<SQLite::Statement>> idle_;
  bool erasure_pending_ = false;
};

}  // namespace comity::store
