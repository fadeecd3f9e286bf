// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "services/store/postgres/session.h"

namespace comity::store {

// Rows of INSERTs that wait to be sent together, in the order of their tables' first appearance:
// few of a table by one statement with its columns as arrays, many, or any with NULL, by COPY,
// which needs no types. Follows the savepoints: what is undone takes its rows along, and rows that
// had been sent within it, though they are of before it, wait again.
//
// Threads: thread-compatible.
class GatheredRows {
 public:
  using Send = std::function<void(const PreparedText&, std::span<const Argument>)>;
  using Copy = std::function<void(const CopyTarget&, const CopiedRows&)>;

  // False: the statement is not INSERT INTO table (columns) VALUES (?, ...) with a value or NULL
  // for each, so it must be run by itself.
  bool Add(std::string_view sql, const std::vector<Argument>& row);
  // True: `sql` names a table of which rows wait.
  bool Concerns(std::string_view sql) const;
  bool IsFull() const;
  // Sends all that wait. Throws what `send` and `copy` throw; then they wait still.
  void Flush(const Send& send, const Copy& copy);

  void OpenSavepoint() { marks_.push_back({rows_.size(), sent_}); }
  void KeepSavepoint();
  void UndoSavepoint();
  void Clear();  // a transaction begins or is over

 private:
  struct Target {
    std::string_view sql;  // the literal
    std::string_view table;
    CopyTarget copy;
    std::optional<PreparedText> insert;  // nothing until a row without NULL tells the types
  };
  struct Row {
    std::size_t target;
    std::vector<Argument> values;
  };
  struct Mark {
    std::size_t rows;
    std::size_t sent;
  };
  static std::optional<Target> Split(std::string_view sql, std::size_t columns);
  Target* TargetOf(std::string_view sql, const std::vector<Argument>& row);
  void SendArrays(const Target& target, const CopiedRows& rows, const Send& send) const;
  void Forget();

  std::vector<Target> targets_;  // kept for the connection's life: a handful
  std::vector<Row> rows_;
  std::size_t sent_ = 0;    // of rows_, from the front
  std::size_t octets_ = 0;  // of those that wait, about
  std::vector<Mark> marks_;
};

}  // namespace comity::store
