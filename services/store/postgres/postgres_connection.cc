// SPDX-License-Identifier: Apache-2.0
#include "services/store/postgres/postgres_connection.h"

#include <algorithm>
#include <string>
#include <utility>

#include "services/store/postgres/postgres_statement.h"
#include "services/store/postgres/statement_text.h"
#include "services/store/sql/database_error.h"

namespace comity::store {

void PostgresConnection::set_in_transaction(bool value) {
  in_transaction_ = value;
  failed_ = false;
  open_.clear();
  at_server_ = 0;
  gathered_.Clear();
}

void PostgresConnection::Abandon() noexcept {
  const bool send = InTransaction();
  set_in_transaction(false);
  if (!send) return;
  try {
    session_->Execute("ROLLBACK");
  } catch (...) {
    session_.reset();  // the server rolls back what a session leaves
  }
}

void PostgresConnection::OpenSavepoint() {
  open_.push_back(false);
  gathered_.OpenSavepoint();
}

void PostgresConnection::KeepSavepoint() {
  if (!InTransaction() || open_.empty()) {
    throw DatabaseError(ErrorCode::kUnavailable, "the transaction is rolled back");
  }
  if (failed_) {
    throw DatabaseError(ErrorCode::kInternal, "a statement of the unit of work had failed");
  }
  open_.pop_back();
  gathered_.KeepSavepoint();
}

void PostgresConnection::UndoSavepoint() {
  if (open_.empty()) return;
  const bool sent = open_.back();
  const std::size_t depth = open_.size();
  if (sent) session_->Execute("ROLLBACK TO SAVEPOINT s" + std::to_string(depth));
  open_.pop_back();
  gathered_.UndoSavepoint();
  if (!sent) return;
  at_server_ = depth;
  failed_ = false;
}

void PostgresConnection::SendSavepoints() {
  const auto first = std::ranges::find(open_, false);
  if (first == open_.end()) return;
  const auto depth = static_cast<std::size_t>(first - open_.begin());
  std::string sql;
  if (at_server_ > depth) sql = "RELEASE SAVEPOINT s" + std::to_string(depth + 1) + ";";
  for (std::size_t i = depth + 1; i <= open_.size(); ++i) {
    sql += "SAVEPOINT s" + std::to_string(i) + ";";
  }
  session_->Execute(sql);
  std::fill(first, open_.end(), true);
  at_server_ = open_.size();
}

std::unique_ptr<Statement> PostgresConnection::Take(std::string_view sql) {
  const auto found = idle_.find(sql);
  if (found != idle_.end()) {
    auto statement = std::move(found->second);
    idle_.erase(found);
    return statement;
  }
  auto name = names_.find(sql);
  if (name == names_.end()) name = names_.emplace(sql, "c" + std::to_string(names_.size())).first;
  return std::make_unique<PostgresStatement>(*this, sql,
                                             PreparedText{name->second, ToPostgres(sql)});
}

void PostgresConnection::GiveBack(std::string_view sql,
                                  std::unique_ptr<Statement> statement) noexcept {
  static_cast<PostgresStatement&>(*statement).Reset();
  idle_.insert_or_assign(sql, std::move(statement));
}

pqxx::result PostgresConnection::Execute(const PreparedText& text,
                                         std::span<const Argument> arguments) {
  if (gathered_.Concerns(text.sql)) SendGathered();
  return SendNow(text, arguments);
}

bool PostgresConnection::Gather(std::string_view sql, const std::vector<Argument>& arguments) {
  if (!gathered_.Add(sql, arguments)) return false;
  if (gathered_.IsFull()) SendGathered();
  return true;
}

template <typename Call>
auto PostgresConnection::InUnit(Call&& call) {
  if (!InTransaction()) {
    throw DatabaseError(ErrorCode::kUnavailable, "the transaction is rolled back");
  }
  if (failed_) {
    throw DatabaseError(ErrorCode::kInternal, "an earlier statement of the unit of work failed");
  }
  try {
    SendSavepoints();
    return std::forward<Call>(call)();
  } catch (const DatabaseError&) {
    failed_ = true;
    throw;
  }
}

void PostgresConnection::SendGathered() {
  gathered_.Flush([this](const PreparedText& text,
                         std::span<const Argument> arguments) { SendNow(text, arguments); },
                  [this](const CopyTarget& target, const CopiedRows& rows) {
                    InUnit([&] { session_->Copy(target, rows); });
                  });
}

pqxx::result PostgresConnection::SendNow(const PreparedText& text,
                                         std::span<const Argument> arguments) {
  return InUnit([&] { return session_->Execute(text, arguments); });
}

}  // namespace comity::store
