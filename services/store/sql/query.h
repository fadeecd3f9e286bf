// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "crypto/base/bytes.h"
#include "policy/model/instant.h"
#include "services/store/sql/connection.h"

namespace comity::store {

// An argument or a key of a statement that is put together when the program runs.
using StoredValue = std::variant<std::int64_t, std::string>;

// One run of a prepared statement: binds the arguments in order, steps, reads columns (from 0), and
// gives the statement back when it ends. Throws DatabaseError; used inside GuardedStep only.
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
  // In: sql        lives as long as the connection
  //     arguments  in order
  Query(Connection& connection, std::string_view sql, const std::vector<StoredValue>& arguments)
      : connection_(connection), sql_(sql), statement_(connection.Take(sql)) {
    int position = 0;
    for (const StoredValue& argument : arguments) {
      std::visit([&](const auto& value) { Bind(++position, value); }, argument);
    }
  }
  ~Query() { connection_.GiveBack(sql_, std::move(statement_)); }
  Query(const Query&) = delete;
  Query& operator=(const Query&) = delete;

  // True while there is a further row.
  bool Next() { return statement_->Step(); }
  // Runs a statement that gives no rows; returns how many rows it changed.
  std::uint64_t Run() { return statement_->Run(); }
  // Statement::RunLater.
  void RunLater() { statement_->RunLater(); }

  std::int64_t Integer(int column) const { return statement_->Integer(column); }
  std::uint64_t Unsigned(int column) const { return static_cast<std::uint64_t>(Integer(column)); }
  policy::Instant Time(int column) const {
    return policy::Instant(std::chrono::microseconds(Integer(column)));
  }
  bool IsNull(int column) const { return statement_->IsNull(column); }
  std::optional<policy::Instant> TimeOrNull(int column) const {
    return IsNull(column) ? std::nullopt : std::optional(Time(column));
  }
  std::string Text(int column) const { return statement_->Text(column); }
  Bytes Blob(int column) const { return statement_->Blob(column); }

 private:
  void Bind(int position, std::int64_t value) { statement_->BindInteger(position, value); }
  void Bind(int position, std::uint32_t value) { statement_->BindInteger(position, value); }
  void Bind(int position, policy::Instant value) {
    statement_->BindInteger(position, value.time_since_epoch().count());
  }
  void Bind(int position, const std::optional<policy::Instant>& value) {
    if (value) return Bind(position, *value);
    statement_->BindNull(position);
  }
  void Bind(int position, std::string_view value) { statement_->BindText(position, value); }
  void Bind(int position, ByteView value) { statement_->BindBlob(position, value); }

  Connection& connection_;
  const std::string_view sql_;
  std::unique_ptr<Statement> statement_;
};

}  // namespace comity::store
