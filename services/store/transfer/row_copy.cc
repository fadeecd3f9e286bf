// SPDX-License-Identifier: Apache-2.0
#include "services/store/transfer/row_copy.h"

#include <memory>
#include <utility>

#include "services/store/sql/query.h"

namespace comity::store {
namespace {

// Gives the statement back when it goes out of scope.
class Taken {
 public:
  Taken(Connection& connection, const std::string& sql)
      : connection_(connection), sql_(sql), statement_(connection.Take(sql)) {}
  ~Taken() { connection_.GiveBack(sql_, std::move(statement_)); }
  Taken(const Taken&) = delete;
  Taken& operator=(const Taken&) = delete;
  Statement* operator->() { return statement_.get(); }
  Statement& operator*() { return *statement_; }

 private:
  Connection& connection_;
  const std::string& sql_;
  std::unique_ptr<Statement> statement_;
};

void CopyColumn(Statement& from, Statement& to, int column, TableShape::Kind kind) {
  const int position = column + 1;
  if (from.IsNull(column)) return to.BindNull(position);
  switch (kind) {
    case TableShape::Kind::kInteger:
      return to.BindInteger(position, from.Integer(column));
    case TableShape::Kind::kText:
      return to.BindText(position, from.Text(column));
    case TableShape::Kind::kOctets:
      return to.BindBlob(position, from.Blob(column));
  }
}

}  // namespace

std::uint64_t RowCopy::CopyStep(Connection& from, Connection& to, const TableShape& table,
                                const std::string& select, const std::string& insert) {
  std::uint64_t rows = 0;
  Taken source(from, select);
  while (source->Step()) {
    Taken target(to, insert);
    for (std::size_t column = 0; column < table.columns.size(); ++column) {
      CopyColumn(*source, *target, static_cast<int>(column), table.columns[column].kind);
    }
    target->RunLater();
    ++rows;
  }
  to.SendWaiting();
  return rows;
}

std::uint64_t RowCopy::Copy(Connection& from, Connection& to, const TableShape& table) {
  std::string arguments;
  for (std::size_t i = 0; i < table.columns.size(); ++i) arguments += i == 0 ? "?" : ", ?";
  const std::string& insert = Keep("INSERT INTO " + table.name + " (" + table.ColumnList() +
                                   ") VALUES (" + arguments + ")");
  const std::string& select = Keep("SELECT " + table.ColumnList() + " FROM " + table.name);
  if (reading_ == Reading::kByStepping) return CopyStep(from, to, table, select, insert);
  const std::string cursor = "copy_of_" + table.name;
  Query(from, Keep("DECLARE " + cursor + " NO SCROLL CURSOR FOR " + select)).Run();
  const std::string& fetch = Keep("FETCH 500 FROM " + cursor);
  std::uint64_t rows = 0;
  while (const std::uint64_t some = CopyStep(from, to, table, fetch, insert)) rows += some;
  return rows;
}

void RowCopy::CopyCounter(Connection& postgres, Connection& sqlite, const TableShape& table) {
  if (table.counter.empty()) return;
  // The name that PostgreSQL gives the sequence of an identity column.
  Query row(postgres, Keep("SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM " +
                           table.name + "_" + table.counter + "_seq"));
  if (!row.Next() || row.Integer(0) == 0) return;
  const std::int64_t largest = row.Integer(0);
  Query known(sqlite, "UPDATE sqlite_sequence SET seq = max(seq, ?) WHERE name = ?", largest,
              table.name);
  if (known.Run() > 0) return;
  Query(sqlite, "INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)", table.name, largest).Run();
}

}  // namespace comity::store
