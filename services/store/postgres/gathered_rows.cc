// SPDX-License-Identifier: Apache-2.0
#include "services/store/postgres/gathered_rows.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <optional>
#include <utility>

namespace comity::store {
namespace {

// Together they bound what a failure costs and what the server must hold.
constexpr std::size_t kMaxRows = 512;
constexpr std::size_t kMaxOctets = std::size_t{1} << 20U;
// From so many rows of a table COPY is faster than a prepared statement, which is not planned anew.
constexpr std::size_t kCopied = 64;

// Types as an array's binary form names them. Source: PostgreSQL 15, pg_type.dat
struct ColumnType {
  std::uint32_t oid;
  const char* name;
};
constexpr ColumnType kBigint{20, "bigint[]"};
constexpr ColumnType kText{25, "text[]"};
constexpr ColumnType kBytea{17, "bytea[]"};

// Nothing for NULL: its column's type is not known from it.
std::optional<ColumnType> TypeOf(const Argument& value) {
  if (std::holds_alternative<std::int64_t>(value)) return kBigint;
  if (std::holds_alternative<std::string>(value)) return kText;
  if (std::holds_alternative<pqxx::binarystring>(value)) return kBytea;
  return std::nullopt;
}

bool HasNull(const std::vector<Argument>& row) {
  return std::ranges::any_of(row, [](const Argument& value) { return !TypeOf(value); });
}

void PutBigEndian(std::string& out, std::uint64_t value, int octets) {
  for (int shift = (octets - 1) * 8; shift >= 0; shift -= 8) {
    out += static_cast<char>(static_cast<unsigned char>(value >> shift));
  }
}

void PutOctets(std::string& out, const char* octets, std::size_t size) {
  PutBigEndian(out, size, 4);
  out.append(octets, size);
}

void PutValue(std::string& out, const Argument& value) {
  if (const auto* number = std::get_if<std::int64_t>(&value)) {
    PutBigEndian(out, sizeof *number, 4);
    PutBigEndian(out, static_cast<std::uint64_t>(*number), sizeof *number);
  } else if (const auto* text = std::get_if<std::string>(&value)) {
    PutOctets(out, text->data(), text->size());
  } else {
    const auto& octets = std::get<pqxx::binarystring>(value);
    PutOctets(out, octets.get(), octets.size());
  }
}

// One dimension from 1 without NULL. Source: PostgreSQL 15, src/backend/utils/adt/arrayfuncs.c,
// array_recv
std::string ArrayHead(ColumnType type, std::size_t size) {
  std::string out;
  for (const std::uint64_t word : {std::uint64_t{1}, std::uint64_t{0}, std::uint64_t{type.oid},
                                   std::uint64_t{size}, std::uint64_t{1}}) {
    PutBigEndian(out, word, 4);
  }
  return out;
}

std::size_t SizeOf(const std::vector<Argument>& row) {
  std::size_t size = 0;
  for (const Argument& value : row) {
    if (const auto* text = std::get_if<std::string>(&value)) size += text->size();
    if (const auto* octets = std::get_if<pqxx::binarystring>(&value)) size += octets->size();
  }
  return size;
}

}  // namespace

std::optional<GatheredRows::Target> GatheredRows::Split(std::string_view sql, std::size_t columns) {
  constexpr std::string_view kInsert = "INSERT INTO ";
  constexpr std::string_view kValues = ") VALUES (";
  const std::size_t names = sql.find(" (");
  const std::size_t values = sql.find(kValues);
  if (!sql.starts_with(kInsert) || names == sql.npos || values == sql.npos) return std::nullopt;
  std::string question_marks = "?";
  for (std::size_t i = 1; i < columns; ++i) question_marks += ", ?";
  if (sql.substr(values + kValues.size()) != question_marks + ")") return std::nullopt;
  const std::string_view table = sql.substr(kInsert.size(), names - kInsert.size());
  CopyTarget copy{std::string(table), {}};
  std::string_view list = sql.substr(names + 2, values - names - 2);
  while (!list.empty()) {
    const std::size_t end = std::min(list.find(", "), list.size());
    copy.columns.emplace_back(list.substr(0, end));
    list.remove_prefix(std::min(end + 2, list.size()));
  }
  if (copy.columns.size() != columns) return std::nullopt;
  return Target{sql, table, std::move(copy), std::nullopt};
}

GatheredRows::Target* GatheredRows::TargetOf(std::string_view sql,
                                             const std::vector<Argument>& row) {
  auto target = std::ranges::find(targets_, sql, &Target::sql);
  if (target == targets_.end()) {
    auto parsed = Split(sql, row.size());
    if (!parsed) return nullptr;
    targets_.push_back(*std::move(parsed));
    target = std::prev(targets_.end());
  }
  if (target->insert || HasNull(row)) return &*target;
  std::string arrays;
  for (const Argument& value : row) {
    arrays += fmt::format("{}CAST(${} AS {})", arrays.empty() ? "" : ", ", &value - row.data() + 1,
                          TypeOf(value)->name);
  }
  const std::size_t values = sql.find(") VALUES (");
  target->insert = {fmt::format("g{}", target - targets_.begin()),
                    fmt::format("{} SELECT * FROM unnest({})", sql.substr(0, values + 1), arrays)};
  return &*target;
}

bool GatheredRows::Add(std::string_view sql, const std::vector<Argument>& row) {
  const Target* target = TargetOf(sql, row);
  if (target == nullptr) return false;
  octets_ += SizeOf(row);
  rows_.push_back({static_cast<std::size_t>(target - targets_.data()), row});
  return true;
}

bool GatheredRows::Concerns(std::string_view sql) const {
  if (sent_ == rows_.size()) return false;
  return std::ranges::any_of(
      targets_, [&](const Target& target) { return sql.find(target.table) != sql.npos; });
}

bool GatheredRows::IsFull() const {
  return rows_.size() - sent_ >= kMaxRows || octets_ >= kMaxOctets;
}

void GatheredRows::Flush(const Send& send, const Copy& copy) {
  for (std::size_t t = 0; t < targets_.size(); ++t) {
    CopiedRows rows;
    bool has_null = false;
    for (const Row& row : std::span(rows_).subspan(sent_)) {
      if (row.target != t) continue;
      has_null = has_null || HasNull(row.values);
      rows.push_back(&row.values);
    }
    if (rows.empty()) continue;
    if (has_null || rows.size() >= kCopied) {
      copy(targets_[t].copy, rows);
    } else {
      SendArrays(targets_[t], rows, send);
    }
  }
  sent_ = rows_.size();
  octets_ = 0;
  Forget();
}

void GatheredRows::SendArrays(const Target& target, const CopiedRows& rows,
                              const Send& send) const {
  std::vector<Argument> arrays;
  for (std::size_t column = 0; column < rows.front()->size(); ++column) {
    std::string array = ArrayHead(*TypeOf(rows.front()->at(column)), rows.size());
    for (const std::vector<Argument>* row : rows) PutValue(array, row->at(column));
    arrays.emplace_back(pqxx::binarystring(array));
  }
  send(*target.insert, arrays);
}

void GatheredRows::KeepSavepoint() {
  if (!marks_.empty()) marks_.pop_back();
  Forget();
}

void GatheredRows::UndoSavepoint() {
  if (marks_.empty()) return;
  const Mark mark = marks_.back();
  marks_.pop_back();
  rows_.resize(mark.rows, Row{});
  sent_ = std::min(sent_, mark.sent);
  octets_ = 0;
  for (const Row& row : std::span(rows_).subspan(sent_)) octets_ += SizeOf(row.values);
  Forget();
}

// What was sent and cannot be undone alone any more.
void GatheredRows::Forget() {
  if (!marks_.empty()) return;
  rows_.erase(rows_.begin(), rows_.begin() + static_cast<std::ptrdiff_t>(sent_));
  sent_ = 0;
}

void GatheredRows::Clear() {
  rows_.clear();
  marks_.clear();
  sent_ = 0;
  octets_ = 0;
}

}  // namespace comity::store
