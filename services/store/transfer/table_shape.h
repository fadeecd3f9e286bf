// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "services/store/sql/connection.h"

namespace comity::store {

// A table and its columns, as SQLite's schema has them; PostgreSQL's has the same names.
struct TableShape {
  enum class Kind { kInteger, kText, kOctets };
  struct Column {
    std::string name;
    Kind kind = Kind::kOctets;
  };
  std::string name;
  std::vector<Column> columns;
  std::string counter;  // the column whose numbers never come again; empty: there is none

  // "a, b, c"
  std::string ColumnList() const;
};

// All tables with records, a row's parents before it. The version of the schema is none of them.
// Throws DatabaseError. In: sqlite  with the schema of this program
std::vector<TableShape> TablesOf(Connection& sqlite);

}  // namespace comity::store
