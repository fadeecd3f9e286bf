// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <SQLiteCpp/SQLiteCpp.h>

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "crypto/base/result.h"
#include "services/store/erasure.h"

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

  // The unit of work erases this record: whoever destroys a key or content says so here, for each
  // record, or the record would come back with a backup (services/store/erasure.h). Its old octets
  // may still stand in the write-ahead log.
  void NoteErasure(ErasedRecord record) {
    erased_.push_back(std::move(record));
    erasure_pending_ = true;
  }
  bool erasure_pending() const { return erasure_pending_; }
  // What the unit of work that runs has erased.
  std::vector<ErasedRecord>& erased() { return erased_; }
  // Moves the write-ahead log into the database, where secure_delete has zeroed what was erased,
  // and empties it. Does nothing, to be repeated later, while a reader still needs the log.
  void FlushErasure() noexcept;

 private:
  Connection(const std::filesystem::path& file, int flags);
  void Configure(Mode mode);

  SQLite::Database database_;
  std::map<std::string_view, std::unique_ptr<SQLite::Statement>> idle_;
  std::vector<ErasedRecord> erased_;
  bool erasure_pending_ = false;
};

}  // namespace comity::store
