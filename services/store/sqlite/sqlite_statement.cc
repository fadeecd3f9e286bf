// SPDX-License-Identifier: Apache-2.0
#include "services/store/sqlite/sqlite_statement.h"

#include <string>

#include "services/store/sqlite/sqlite_error.h"

namespace comity::store {
namespace {

SQLite::Statement Prepare(const SQLite::Database& database, std::string_view sql) {
  return Translated([&] { return SQLite::Statement(database, std::string(sql)); });
}

}  // namespace

SqliteStatement::SqliteStatement(const SQLite::Database& database, std::string_view sql)
    : statement_(Prepare(database, sql)) {}

void SqliteStatement::BindInteger(int position, std::int64_t value) {
  Translated([&] { statement_.bind(position, value); });
}

void SqliteStatement::BindText(int position, std::string_view value) {
  Translated([&] { statement_.bind(position, std::string(value)); });
}

void SqliteStatement::BindBlob(int position, ByteView value) {
  // A null pointer would bind NULL instead of no octets.
  const void* begin = value.empty() ? static_cast<const void*>("") : value.data();
  Translated([&] { statement_.bind(position, begin, static_cast<int>(value.size())); });
}

void SqliteStatement::BindNull(int position) {
  Translated([&] { statement_.bind(position); });
}

bool SqliteStatement::Step() {
  return Translated([&] { return statement_.executeStep(); });
}

std::uint64_t SqliteStatement::Run() {
  return Translated([&] { return static_cast<std::uint64_t>(statement_.exec()); });
}

bool SqliteStatement::IsNull(int column) const {
  return Translated([&] { return statement_.getColumn(column).isNull(); });
}

std::int64_t SqliteStatement::Integer(int column) const {
  return Translated([&] { return statement_.getColumn(column).getInt64(); });
}

std::string SqliteStatement::Text(int column) const {
  return Translated([&] { return statement_.getColumn(column).getString(); });
}

Bytes SqliteStatement::Blob(int column) const {
  return Translated([&] {
    const SQLite::Column value = statement_.getColumn(column);
    const auto* begin = static_cast<const std::uint8_t*>(value.getBlob());
    return begin == nullptr ? Bytes() : Bytes(begin, begin + value.getBytes());
  });
}

void SqliteStatement::Reset() noexcept {
  static_cast<void>(statement_.tryReset());
}

}  // namespace comity::store
