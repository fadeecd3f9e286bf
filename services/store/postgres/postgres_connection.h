// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "services/store/postgres/gathered_rows.h"
#include "services/store/postgres/session.h"
#include "services/store/sql/connection.h"

namespace comity::store {

// What reading and writing have in common: statements, savepoints, the end of a transaction.
//
// Threads: thread-compatible, like the session.
class PostgresConnection : public Connection {
 public:
  bool InTransaction() const final { return in_transaction_ && session_ && !session_->broken(); }
  void Abandon() noexcept final;

  // Savepoints are sent late, with the first statement after them, and let go when the next one of
  // their depth is set: most units cost no message of their own, and one without statements none.
  void OpenSavepoint() final;
  void KeepSavepoint() final;
  void UndoSavepoint() override;

  std::unique_ptr<Statement> Take(std::string_view sql) final;
  void GiveBack(std::string_view sql, std::unique_ptr<Statement> statement) noexcept final;

  void SendWaiting() final { SendGathered(); }

  // Sends a statement of Take, within the savepoints that are open and after the gathered rows of
  // the tables that it names. Throws DatabaseError.
  pqxx::result Execute(const PreparedText& text, std::span<const Argument> arguments);
  // Keeps the row of an INSERT, to be sent together with others; false: run it by itself. Throws
  // DatabaseError.
  bool Gather(std::string_view sql, const std::vector<Argument>& arguments);

 protected:
  PostgresConnection() = default;
  void set_in_transaction(bool value);
  void SendGathered();  // throws DatabaseError

  std::unique_ptr<Session> session_;  // null: the line is lost

 private:
  void SendSavepoints();
  pqxx::result SendNow(const PreparedText& text, std::span<const Argument> arguments);
  // Runs `call` in the transaction and its savepoints; what fails in it fails the unit of work.
  template <typename Call>
  auto InUnit(Call&& call);

  bool in_transaction_ = false;
  // A statement failed: the server refuses all others until the savepoint is undone.
  bool failed_ = false;
  std::vector<bool> open_;     // savepoints of the code by depth: whether the server knows of it
  std::size_t at_server_ = 0;  // savepoints that the server has, with those that were kept
  GatheredRows gathered_;
  std::map<std::string_view, std::string> names_;
  std::map<std::string_view, std::unique_ptr<Statement>> idle_;
};

}  // namespace comity::store
