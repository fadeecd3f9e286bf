// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>

#include "services/store/sql/connection.h"
#include "services/store/sql/database_error.h"

namespace comity::store {

// A group of statements inside a transaction that stands or falls together: what ran since the
// constructor is undone unless Release was called. Throws DatabaseError.
//
// Threads: thread-compatible, like its connection.
class Savepoint {
 public:
  explicit Savepoint(Connection& connection)
      : connection_(connection), log_size_(connection.log_size()), written_(connection.written()) {
    connection_.OpenSavepoint();
  }
  ~Savepoint() {
    if (released_ || !connection_.InTransaction()) return;
    connection_.set_log_size(log_size_);
    connection_.set_written(written_);
    try {
      connection_.UndoSavepoint();
    } catch (const DatabaseError&) {
      // What could not be undone alone is undone with the whole transaction.
      connection_.Abandon();
    }
  }
  Savepoint(const Savepoint&) = delete;
  Savepoint& operator=(const Savepoint&) = delete;

  void Release() {
    connection_.KeepSavepoint();
    released_ = true;
  }

 private:
  Connection& connection_;
  const std::optional<std::uint64_t> log_size_;
  const TableKey::Generations written_;
  bool released_ = false;
};

}  // namespace comity::store
