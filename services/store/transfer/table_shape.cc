// SPDX-License-Identifier: Apache-2.0
#include "services/store/transfer/table_shape.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "services/store/sql/database_error.h"
#include "services/store/sql/query.h"

namespace comity::store {
namespace {

TableShape::Kind KindOf(const std::string& type) {
  if (type == "INTEGER") return TableShape::Kind::kInteger;
  if (type == "TEXT") return TableShape::Kind::kText;
  if (type == "BLOB") return TableShape::Kind::kOctets;
  throw DatabaseError(ErrorCode::kInternal, "a column of the unknown type " + type);
}

std::map<std::string, TableShape> Columns(Connection& sqlite) {
  std::map<std::string, TableShape> tables;
  Query row(sqlite,
            "SELECT m.name, c.name, c.type, c.pk > 0 AND m.sql LIKE '%AUTOINCREMENT%'"
            " FROM sqlite_master m, pragma_table_info(m.name) c"
            " WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%' AND m.name <> 'schema_version'"
            " ORDER BY m.name, c.cid");
  while (row.Next()) {
    TableShape& table = tables[row.Text(0)];
    table.name = row.Text(0);
    table.columns.push_back({row.Text(1), KindOf(row.Text(2))});
    if (row.Integer(3) != 0) table.counter = row.Text(1);
  }
  return tables;
}

// By table: those that its rows refer to.
std::map<std::string, std::set<std::string>> Parents(Connection& sqlite) {
  std::map<std::string, std::set<std::string>> parents;
  Query row(sqlite,
            "SELECT m.name, f.\"table\" FROM sqlite_master m, pragma_foreign_key_list(m.name) f"
            " WHERE m.type = 'table'");
  while (row.Next()) {
    if (row.Text(0) != row.Text(1)) parents[row.Text(0)].insert(row.Text(1));
  }
  return parents;
}

}  // namespace

std::string TableShape::ColumnList() const {
  std::string list;
  for (const Column& column : columns) list += (list.empty() ? "" : ", ") + column.name;
  return list;
}

std::vector<TableShape> TablesOf(Connection& sqlite) {
  auto left = Columns(sqlite);
  auto parents = Parents(sqlite);
  std::vector<TableShape> ordered;
  while (!left.empty()) {
    const auto next = std::ranges::find_if(left, [&](const auto& table) {
      return std::ranges::none_of(parents[table.first],
                                  [&](const std::string& parent) { return left.contains(parent); });
    });
    if (next == left.end()) {
      throw DatabaseError(ErrorCode::kInternal, "tables refer to each other in a circle");
    }
    ordered.push_back(std::move(next->second));
    left.erase(next);
  }
  return ordered;
}

}  // namespace comity::store
