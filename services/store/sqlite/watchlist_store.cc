// SPDX-License-Identifier: Apache-2.0
#include <string>

#include "services/store/sqlite/aggregates.h"
#include "services/store/sqlite/guarded_call.h"
#include "services/store/sqlite/row.h"
#include "services/store/sqlite/savepoint.h"

namespace comity::store {
namespace {

std::int64_t Number(EntryState state) {
  return static_cast<std::int64_t>(state);
}

Result<WatchlistRecord> ReadList(const Query& row) {
  WatchlistRecord list;
  COMITY_ASSIGN_OR_RETURN(list.reference, ReadId<policy::WatchlistId>(row, 0));
  list.engine.name = row.Text(1);
  list.engine.version = row.Text(2);
  COMITY_ASSIGN_OR_RETURN(list.engine.dimension, ReadUint32(row, 3));
  list.imported_at = row.Time(4);
  list.wrapped_key = row.Blob(5);
  return list;
}

Result<EntryRecord> ReadEntry(const Query& row) {
  EntryRecord entry;
  entry.reference = row.Text(0);
  COMITY_ASSIGN_OR_RETURN(entry.category, ReadId<policy::ListCategory>(row, 1));
  COMITY_ASSIGN_OR_RETURN(
      entry.state, ReadEnum<EntryState>(row, 2, {EntryState::kActive, EntryState::kWithdrawn}));
  entry.valid_from = row.Time(3);
  entry.expires_at = row.Time(4);
  entry.wrapped_key = row.Blob(5);
  entry.sealed_template = row.Blob(6);
  entry.sealed_fields = row.Blob(7);
  return entry;
}

void InsertList(Connection& connection, const WatchlistRecord& list) {
  Query(connection,
        "INSERT INTO watchlist (reference, engine_name, engine_version, engine_dimension,"
        " imported_at, wrapped_key) VALUES (?, ?, ?, ?, ?, ?)",
        list.reference.text(), list.engine.name, list.engine.version, list.engine.dimension,
        list.imported_at, ByteView(list.wrapped_key))
      .Run();
}

}  // namespace

void SqliteWatchlistStore::InsertEntry(const policy::WatchlistId& list, const EntryRecord& entry) {
  Query(connection_,
        "INSERT INTO watchlist_entry (list, reference, category, state, valid_from, expires_at,"
        " wrapped_key, sealed_template, sealed_fields) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        list.text(), entry.reference, entry.category.text(), Number(entry.state), entry.valid_from,
        entry.expires_at, ByteView(entry.wrapped_key), ByteView(entry.sealed_template),
        ByteView(entry.sealed_fields))
      .Run();
}

Status SqliteWatchlistStore::AddList(const WatchlistRecord& list,
                                     std::span<const EntryRecord> entries) {
  return GuardedStep(connection_, "store the watchlist", [&]() -> Status {
    // All or nothing, even if the caller goes on after an error.
    Savepoint whole(connection_);
    InsertList(connection_, list);
    for (const EntryRecord& entry : entries) InsertEntry(list.reference, entry);
    whole.Release();
    return {};
  });
}

Result<std::vector<WatchlistRecord>> SqliteWatchlistStore::Lists() const {
  using Lists = std::vector<WatchlistRecord>;
  return GuardedStep(connection_, "read the watchlists", [&]() -> Result<Lists> {
    Lists lists;
    Query row(connection_,
              "SELECT reference, engine_name, engine_version, engine_dimension, imported_at,"
              " wrapped_key FROM watchlist ORDER BY position");
    while (row.Next()) {
      COMITY_ASSIGN_OR_RETURN(auto list, ReadList(row));
      lists.push_back(std::move(list));
    }
    return lists;
  });
}

Status SqliteWatchlistStore::VisitEntries(const policy::WatchlistId& list,
                                          const std::function<Status(EntryRecord)>& visit) const {
  return GuardedStep(connection_, "read the entries", [&]() -> Status {
    Query row(connection_,
              "SELECT reference, category, state, valid_from, expires_at, wrapped_key,"
              " sealed_template, sealed_fields FROM watchlist_entry WHERE list = ?"
              " ORDER BY position",
              list.text());
    while (row.Next()) {
      COMITY_ASSIGN_OR_RETURN(auto entry, ReadEntry(row));
      COMITY_RETURN_IF_ERROR(visit(std::move(entry)));
    }
    return {};
  });
}

Status SqliteWatchlistStore::Withdraw(const policy::WatchlistId& list, std::string_view reference) {
  return GuardedStep(connection_, "withdraw the entry", [&]() -> Status {
    const std::uint64_t changed =
        Query(connection_,
              "UPDATE watchlist_entry SET state = 2, wrapped_key = x'', sealed_template = x'',"
              " sealed_fields = x'' WHERE list = ? AND reference = ? AND state = 1",
              list.text(), reference)
            .Run();
    if (changed == 1) {
      connection_.NoteErasure();
      return {};
    }
    Query row(connection_, "SELECT 1 FROM watchlist_entry WHERE list = ? AND reference = ?",
              list.text(), reference);
    if (row.Next()) return Fail(ErrorCode::kConflict, "the entry is withdrawn already");
    return Fail(ErrorCode::kNotFound, "the watchlist has no such entry");
  });
}

}  // namespace comity::store
