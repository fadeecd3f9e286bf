// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <pqxx/result>
#include <string_view>
#include <vector>

#include "services/store/postgres/session.h"
#include "services/store/sql/statement.h"

namespace comity::store {

class PostgresConnection;

// Sent when it is first stepped or run; all rows come at once.
//
// Threads: thread-compatible, like its connection.
class PostgresStatement final : public Statement {
 public:
  // In: literal  the SQL that `text` was made of
  PostgresStatement(PostgresConnection& connection, std::string_view literal, PreparedText text)
      : connection_(connection), literal_(literal), text_(std::move(text)) {}

  void BindInteger(int position, std::int64_t value) override;
  // Errors: kInvalidArgument  not UTF-8, or with a NUL, which this database does not hold in text
  void BindText(int position, std::string_view value) override;
  void BindBlob(int position, ByteView value) override;
  void BindNull(int position) override;
  bool Step() override;
  std::uint64_t Run() override;
  void RunLater() override;
  bool IsNull(int column) const override;
  // NULL reads as 0, a boolean as 0 or 1. Errors: kCorrupt  the column holds no integer
  std::int64_t Integer(int column) const override;
  std::string Text(int column) const override;
  Bytes Blob(int column) const override;

  // To be bound and run anew.
  void Reset() noexcept;

 private:
  void Bind(int position, Argument argument);
  void Send();
  pqxx::field Field(int column) const;

  PostgresConnection& connection_;
  const std::string_view literal_;
  const PreparedText text_;
  std::vector<Argument> arguments_;
  pqxx::result result_;
  bool sent_ = false;
  pqxx::result::size_type next_ = 0;  // the row after the one that is read
};

}  // namespace comity::store
