// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "services/store/sqlite/query.h"

namespace comity::store {

// A group of statements inside a transaction that stands or falls together: what ran since the
// constructor is undone unless Release was called. Throws SQLite::Exception.
//
// Threads: thread-compatible, like its connection.
class Savepoint {
 public:
  explicit Savepoint(Connection& connection) : connection_(connection) {
    Query(connection_, "SAVEPOINT step").Run();
  }
  ~Savepoint() {
    if (released_ || !connection_.InTransaction()) return;
    try {
      Query(connection_, "ROLLBACK TO step").Run();
      Query(connection_, "RELEASE step").Run();
    } catch (const SQLite::Exception&) {
      // What could not be undone alone is undone with the whole transaction.
      connection_.Abandon();
    }
  }
  Savepoint(const Savepoint&) = delete;
  Savepoint& operator=(const Savepoint&) = delete;

  void Release() {
    Query(connection_, "RELEASE step").Run();
    released_ = true;
  }

 private:
  Connection& connection_;
  bool released_ = false;
};

}  // namespace comity::store
