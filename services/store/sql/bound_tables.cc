// SPDX-License-Identifier: Apache-2.0
#include "services/store/sql/bound_tables.h"

#include <algorithm>
#include <span>

#include "services/store/sql/bound_write.h"
#include "services/store/sql/guarded_call.h"
#include "services/store/sql/row.h"
#include "services/store/sql/table_key.h"

namespace comity::store {
namespace {

// What is bound of a table: a query without arguments and its columns, `i` an integer that may be
// NULL, `t` a text, `b` octets. Order and columns are part of the authenticator.
struct BoundRows {
  std::string_view sql;
  std::string_view columns;
};

constexpr BoundRows kDeployments{
    "SELECT id, state, created_at, starts_at, ends_at, created_by, approved_by, definition,"
    " activated_at, ended_at, deletion_due_at, closed_at, faces, alerts, false_alerts"
    " FROM deployment WHERE state <> 4 ORDER BY id",
    "tiiiitttiiiiiii"};
constexpr BoundRows kStops{
    "SELECT id, scope, reference, set_by, reason, regulator, set_at, lifted_by, lift_reason,"
    " lifted_at FROM stop WHERE lifted_by = '' ORDER BY id",
    "tittttitti"};
constexpr BoundRows kHolds{
    "SELECT number, record_class, reference, reason, held_by, approved_by, held_at, review_by,"
    " told, released_at FROM retention_hold WHERE released_at IS NULL ORDER BY number",
    "itttttiiii"};
constexpr BoundRows kRestorations{
    "SELECT state, backup, made_at, log_size, largest_seen, ledger_line, ledger_hash,"
    " ledger_until, replayed, restored_at, confirmed_at, log_origin FROM restoration ORDER BY id",
    "itiiiibiiiit"};
constexpr BoundRows kReached{"SELECT peer FROM restoration_reached ORDER BY peer", "t"};

std::span<const BoundRows> RowsOf(BoundTable table) {
  static constexpr std::array kOfRestoration{kRestorations, kReached};
  switch (table) {
    case BoundTable::kDeployment:
      return {&kDeployments, 1};
    case BoundTable::kStop:
      return {&kStops, 1};
    case BoundTable::kRetentionHold:
      return {&kHolds, 1};
    case BoundTable::kRestoration:
      return kOfRestoration;
  }
  return {};
}

void AppendNumber(Bytes& content, std::uint64_t number) {
  for (int shift = 56; shift >= 0; shift -= 8) {
    content.push_back(static_cast<std::uint8_t>((number >> static_cast<unsigned>(shift)) & 0xFFU));
  }
}

void AppendOctets(Bytes& content, ByteView octets) {
  AppendNumber(content, octets.size());
  content.insert(content.end(), octets.begin(), octets.end());
}

void AppendColumn(Bytes& content, const Query& row, int column, char kind) {
  content.push_back(static_cast<std::uint8_t>(row.IsNull(column) ? 'n' : kind));
  if (row.IsNull(column)) return;
  if (kind == 'i') return AppendNumber(content, row.Unsigned(column));
  if (kind == 'b') return AppendOctets(content, row.Blob(column));
  AppendOctets(content, AsBytes(row.Text(column)));
}

struct BoundContent {
  Bytes octets;
  std::uint64_t rows = 0;
};

// Each row begins with an 'r' and each query ends with an 'e', so that the octets are of one
// content only.
BoundContent ContentOf(Connection& connection, BoundTable table) {
  BoundContent bound;
  Bytes& content = bound.octets;
  for (const BoundRows& rows : RowsOf(table)) {
    Query row(connection, rows.sql);
    while (row.Next()) {
      ++bound.rows;
      content.push_back('r');
      for (std::size_t i = 0; i < rows.columns.size(); ++i) {
        AppendColumn(content, row, static_cast<int>(i), rows.columns[i]);
      }
    }
    content.push_back('e');
  }
  return bound;
}

struct StoredBinding {
  std::uint64_t generation = 0;
  Bytes mac;
};

StoredBinding BindingOf(Connection& connection, BoundTable table) {
  Query row(connection, "SELECT generation, mac FROM table_binding WHERE name = ?", Name(table));
  if (!row.Next()) return {};
  return {row.Unsigned(0), row.Blob(1)};
}

// A trigger would add a row between the check of a table and its binding.
std::string ForeignCodeOf(Connection& connection) {
  const std::string_view query = connection.ForeignCode();
  if (query.empty()) return {};
  Query row(connection, query);
  return row.Next() ? row.Text(0) : std::string();
}

BoundState StateOf(Connection& connection, BoundTable table) {
  if (!connection.reads_only()) connection.KeepOthersFromBoundTables();
  TableKey& key = *connection.table_key();
  const StoredBinding stored = BindingOf(connection, table);
  BoundState state{table, stored.generation, {}, 0, connection.expected(table)};
  if (const std::string foreign = ForeignCodeOf(connection); !foreign.empty()) {
    state.fault = "the trigger or view " + foreign + " is none of this program";
  } else if (stored.generation == 0) {
    state.fault = "its authenticator is missing";
  } else if (stored.generation < connection.expected(table)) {
    state.fault = "an older state of it was put back";
  } else {
    const BoundContent content = ContentOf(connection, table);
    const Digest mac = key.Bind(Name(table), stored.generation, content.octets);
    if (!ConstantTimeEqual(mac.view(), stored.mac)) {
      state.fault = "it was changed by somebody else than this gateway";
    } else {
      state.rows = content.rows;
    }
  }
  return state;
}

}  // namespace

Status CheckBound(Connection& connection, BoundTable table) {
  if (connection.table_key() == nullptr) return {};
  const BoundState state = StateOf(connection, table);
  if (state.fault.empty()) return {};
  return Fail(ErrorCode::kCorrupt,
              "the database's table " + std::string(Name(table)) +
                  " is not to be trusted: " + state.fault +
                  ". Find out who writes to the database, then restore the newest backup with "
                  "'comity restore'; two people confirm it");
}

Status BindAnew(Connection& connection, BoundTable table) {
  if (connection.table_key() == nullptr) return {};
  const std::uint64_t before =
      std::max(BindingOf(connection, table).generation, connection.expected(table));
  COMITY_ASSIGN_OR_RETURN(const std::int64_t generation, ToStored(before + 1));
  const Digest mac =
      connection.table_key()->Bind(Name(table), before + 1, ContentOf(connection, table).octets);
  Query(connection,
        "INSERT INTO table_binding (name, generation, mac) VALUES (?, ?, ?)"
        " ON CONFLICT (name) DO UPDATE SET generation = excluded.generation, mac = excluded.mac",
        Name(table), generation, mac.view())
      .Run();
  connection.NoteWritten(table, before + 1);
  return {};
}

Result<std::vector<BoundState>> SqlBoundTables::Look() const {
  using States = std::vector<BoundState>;
  return GuardedStep(connection_, "look at the bound tables", [&]() -> Result<States> {
    States states;
    if (connection_.table_key() == nullptr) return states;
    for (const BoundTable table : kBoundTables) states.push_back(StateOf(connection_, table));
    return states;
  });
}

Status SqlBoundTables::Bind() {
  return GuardedStep(connection_, "bind the tables", [&]() -> Status {
    for (const BoundTable table : kBoundTables) {
      COMITY_RETURN_IF_ERROR(BindAnew(connection_, table));
    }
    return {};
  });
}

std::optional<Digest> SqlBoundTables::Authenticate(std::string_view name, std::uint64_t generation,
                                                   std::string_view text) const {
  if (connection_.table_key() == nullptr) return std::nullopt;
  return connection_.table_key()->Bind(name, generation, AsBytes(text));
}

void SqlBoundTables::Expect(BoundTable table, std::uint64_t generation) const {
  if (connection_.table_key() != nullptr) connection_.table_key()->Note(table, generation);
}

Result<bool> SqlBoundTables::IsCopy() const {
  return GuardedStep(connection_, "look for a copy's mark", [&]() -> Result<bool> {
    Query row(connection_, "SELECT 1 FROM restoration WHERE state = 1");
    return row.Next();
  });
}

}  // namespace comity::store
