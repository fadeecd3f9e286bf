// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <deque>
#include <string>

#include "services/store/sql/connection.h"
#include "services/store/transfer/table_shape.h"

namespace comity::store {

// Copies the rows of tables from one database to the other, as they are. Both connections are in a
// transaction. Must outlive both: their statements refer to its texts.
//
// Threads: thread-compatible.
class RowCopy {
 public:
  // How the source gives many rows without holding all of them in memory: SQLite by itself,
  // PostgreSQL by a cursor.
  enum class Reading { kByStepping, kByCursor };

  explicit RowCopy(Reading reading) : reading_(reading) {}
  // Returns how many rows. Throws DatabaseError.
  std::uint64_t Copy(Connection& from, Connection& to, const TableShape& table);
  // After the rows: the largest number that the table's counter gave, also if its row is gone
  // since. Nothing for a table without one. Throws DatabaseError.
  void CopyCounter(Connection& postgres, Connection& sqlite, const TableShape& table);

 private:
  std::uint64_t CopyStep(Connection& from, Connection& to, const TableShape& table,
                         const std::string& select, const std::string& insert);
  const std::string& Keep(std::string text) { return texts_.emplace_back(std::move(text)); }

  const Reading reading_;
  std::deque<std::string> texts_;
};

}  // namespace comity::store
