// SPDX-License-Identifier: Apache-2.0
#include "services/store/postgres/postgres_statement.h"

#include <charconv>
#include <string>
#include <utility>

#include "crypto/base/utf8.h"
#include "services/store/postgres/postgres_connection.h"
#include "services/store/postgres/postgres_error.h"

namespace comity::store {
namespace {

constexpr pqxx::oid kOctets = 17;  // bytea, in pg_catalog.pg_type for good

}  // namespace

void PostgresStatement::Bind(int position, Argument argument) {
  const auto index = static_cast<std::size_t>(position - 1);
  if (arguments_.size() <= index) arguments_.resize(index + 1);
  arguments_[index] = std::move(argument);
}

void PostgresStatement::BindInteger(int position, std::int64_t value) {
  Bind(position, value);
}

void PostgresStatement::BindText(int position, std::string_view value) {
  if (value.find('\0') != value.npos || !IsUtf8(value)) {
    throw DatabaseError(ErrorCode::kInvalidArgument, "a text is not UTF-8 or holds a NUL");
  }
  Bind(position, std::string(value));
}

void PostgresStatement::BindBlob(int position, ByteView value) {
  Bind(position, pqxx::binarystring(value.data(), value.size()));
}

void PostgresStatement::BindNull(int position) {
  Bind(position, std::monostate());
}

void PostgresStatement::Send() {
  result_ = connection_.Execute(text_, arguments_);
  sent_ = true;
  next_ = 0;
}

bool PostgresStatement::Step() {
  if (!sent_) Send();
  if (next_ >= result_.size()) return false;
  ++next_;
  return true;
}

std::uint64_t PostgresStatement::Run() {
  Send();
  return result_.affected_rows();
}

void PostgresStatement::RunLater() {
  if (!connection_.Gather(literal_, arguments_)) Run();
}

pqxx::field PostgresStatement::Field(int column) const {
  if (next_ == 0) throw DatabaseError(ErrorCode::kInternal, "there is no row to read");
  return result_[next_ - 1][column];
}

bool PostgresStatement::IsNull(int column) const {
  return Field(column).is_null();
}

std::int64_t PostgresStatement::Integer(int column) const {
  const pqxx::field field = Field(column);
  const std::string_view text(field.c_str(), field.size());
  if (field.is_null() || text == "f") return 0;
  if (text == "t") return 1;
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc() && end == text.data() + text.size()) return value;
  throw DatabaseError(ErrorCode::kCorrupt, "a column does not hold an integer");
}

// SQLite reads octets as text as they are; here they would be their spelling, and pass for a text.
std::string PostgresStatement::Text(int column) const {
  const pqxx::field field = Field(column);
  if (field.type() == kOctets) {
    throw DatabaseError(ErrorCode::kInternal, "a column of octets is read as text");
  }
  return {field.c_str(), field.size()};
}

Bytes PostgresStatement::Blob(int column) const {
  const pqxx::field field = Field(column);
  if (field.is_null()) return {};
  if (field.type() != kOctets) {
    throw DatabaseError(ErrorCode::kInternal, "a column of text or numbers is read as octets");
  }
  const pqxx::binarystring octets(field);
  return Bytes(octets.begin(), octets.end());
}

void PostgresStatement::Reset() noexcept {
  arguments_.clear();
  result_.clear();
  sent_ = false;
  next_ = 0;
}

}  // namespace comity::store
