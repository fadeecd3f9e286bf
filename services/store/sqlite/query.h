// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "crypto/base/bytes.h"
#include "policy/model/instant.h"
#include "services/store/sqlite/connection.h"

namespace comity::store {

// One run of a prepared statement: binds the arguments in order, steps, reads columns (from 0), and
// gives the statement back when it ends. Throws SQLite::Exception; used inside GuardedStep only.
//
// Threads: thread-compatible, like its connection.
class Query {
 public:
  // In: sql  a literal
  template <typename... Arguments>
  Query(Connection& connection, std::string_view sql, const Arguments&... arguments)
      : connection_(connection), sql_(sql), statement_(connection.Take(sql)) {
    int position = 0;
    (Bind(++position, arguments), ...);
  }
  ~Query() { connection_.GiveBack(sql_, std::move(statement_)); }
  Query(const Query&) = delete;
  Query& operator=(const Query&) = delete;

  // True while there is a further row.
  bool Next() { return statement_->executeStep(); }
  // Runs a statement that gives no rows; returns how many rows it changed.
  std::uint64_t Run() { return static_cast<std::uint64_t>(statement_->exec()); }

  std::int64_t Integer(int column) const { return statement_->getColumn(column).getInt64(); }
  std::uint64_t Unsigned(int column) const { return static_cast<std::uint64_t>(Integer(column)); }
  policy::Instant Time(int column) const {
    return policy::Instant(std::chrono::microseconds(Integer(column)));
  }
  bool IsNull(int column) const { return statement_->getColumn(column).isNull(); }
  std::optional<policy::Instant> TimeOrNull(int column) const {
    return IsNull(column) ? std::nullopt : std::optional(Time(column));
  }
  std::string Text(int column) const { return statement_->getColumn(column).getString(); }
  Bytes Blob(int column) const;

 private:
  void Bind(int position, std::int64_t value) { statement_->bind(position, value); }
  void Bind(int position, std::uint32_t value) { statement_->bind(position, value); }
  void Bind(int position, policy::Instant value) {
    statement_->bind(position, std::int64_t{value.time_since_epoch().count()});
  }
  void Bind(int position, const std::optional<policy::Instant>& value) {
    if (value) return Bind(position, *value);
    statement_->bind(position);  // NULL
  }
  void Bind(int position, std::string_view value) {
    statement_->bind(position, std::string(value));
  }
  void Bind(int position, ByteView value);

  Connection& connection_;
  const std::string_view sql_;
  std::unique_ptr<SQLite::Statement> statement_;
};

}  // namespace comity::store
