// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <pqxx/binarystring>
#include <pqxx/connection>
#include <pqxx/nontransaction>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "services/store/postgres/line_watch.h"

namespace comity::store {

// An argument of a statement: NULL, an integer, text, or octets, which travel in binary.
using Argument = std::variant<std::monostate, std::int64_t, std::string, pqxx::binarystring>;

// A statement as the server knows it.
struct PreparedText {
  std::string name;
  std::string sql;
};

// Where COPY puts rows.
struct CopyTarget {
  std::string table;
  std::vector<std::string> columns;
};
using CopiedRows = std::vector<const std::vector<Argument>*>;

// One session with a server. It is never made anew behind the caller's back: what a transaction
// began would go on outside of it. Methods throw DatabaseError; once broken() it stays so.
//
// Threads: thread-compatible.
class Session {
 public:
  // Connects; takes up to five seconds for each host. Throws DatabaseError kUnavailable.
  // In: connection_string  of PostgresUrl
  //     limit              how long a call may take
  Session(const std::string& connection_string, LineWatch& watch, std::chrono::milliseconds limit);
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  // Runs statements that have no arguments, separated by ';'; the result is the last one's. After
  // one that fails, the others do not run.
  pqxx::result Execute(const std::string& sql);
  pqxx::result Execute(const std::string& sql, std::chrono::milliseconds limit);
  pqxx::result Execute(const PreparedText& statement, std::span<const Argument> arguments);
  // Puts the rows into the table by COPY, all or none.
  // In: rows  each with a value or NULL for every column
  void Copy(const CopyTarget& target, const CopiedRows& rows);

  bool broken() const { return broken_; }

 private:
  template <typename Call>
  pqxx::result Run(std::chrono::milliseconds limit, Call&& call);

  const std::chrono::milliseconds limit_;
  bool broken_ = false;
  std::unique_ptr<pqxx::lazyconnection> connection_;
  std::unique_ptr<LineWatch::Line> line_;
  // Sends what it is given as it is: transactions are begun and ended by statements of our own.
  std::unique_ptr<pqxx::nontransaction> channel_;
};

}  // namespace comity::store
