// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <SQLiteCpp/SQLiteCpp.h>

#include <string_view>

#include "services/store/sql/statement.h"

namespace comity::store {

// Threads: thread-compatible, like its connection.
class SqliteStatement final : public Statement {
 public:
  // Throws DatabaseError.
  SqliteStatement(const SQLite::Database& database, std::string_view sql);

  void BindInteger(int position, std::int64_t value) override;
  void BindText(int position, std::string_view value) override;
  void BindBlob(int position, ByteView value) override;
  void BindNull(int position) override;
  bool Step() override;
  std::uint64_t Run() override;
  bool IsNull(int column) const override;
  std::int64_t Integer(int column) const override;
  std::string Text(int column) const override;
  Bytes Blob(int column) const override;

  // To be bound and run anew. Its last error was reported by its step.
  void Reset() noexcept;

 private:
  SQLite::Statement statement_;
};

}  // namespace comity::store
