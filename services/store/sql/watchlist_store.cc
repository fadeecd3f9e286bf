// SPDX-License-Identifier: Apache-2.0
#include "services/store/sql/watchlist_store.h"

#include <string>

#include "services/store/sql/guarded_call.h"
#include "services/store/sql/row.h"
#include "services/store/sql/savepoint.h"

namespace comity::store {
namespace {

using policy::WatchlistId;

// What EntryPage reads; content comes after it.
#define COMITY_ENTRY_COLUMNS                                                                 \
  "SELECT e.position, e.reference, e.category, e.state, e.restriction, e.clearance,"         \
  " e.under_18, e.valid_from, e.expires_at, e.review_by, e.as_of, e.cleared_at, e.ended_at," \
  " e.rationale, e.wrapped_key"
#define COMITY_LIST_COLUMNS                                                           \
  "SELECT reference, state, definition, drafters, content, drafted_at, approved_by,"  \
  " approved_at, validated_at, closed_at, delete_by, deleted_at, imports, importing," \
  " wrapped_key, manifest FROM watchlist"
#define COMITY_ENTRIES_THAT_COUNT                                    \
  " FROM watchlist_entry e JOIN watchlist l ON l.reference = e.list" \
  " WHERE NOT (l.importing = 1 AND e.batch = l.imports)"

template <typename Enum>
std::int64_t Number(Enum value) {
  return static_cast<std::int64_t>(value);
}

std::string JoinPeople(const std::vector<policy::PersonId>& people) {
  std::string text;
  for (const policy::PersonId& person : people) text += (text.empty() ? "" : " ") + person.text();
  return text;
}

Result<std::vector<policy::PersonId>> SplitPeople(std::string_view text) {
  std::vector<policy::PersonId> people;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(' '), text.size());
    auto person = policy::PersonId::Parse(text.substr(0, end));
    if (!person) return Fail(ErrorCode::kCorrupt, "a stored id is malformed");
    people.push_back(*std::move(person));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return people;
}

Result<WatchlistRecord> ReadList(const Query& row) {
  WatchlistRecord list;
  COMITY_ASSIGN_OR_RETURN(list.reference, ReadId<WatchlistId>(row, 0));
  COMITY_ASSIGN_OR_RETURN(
      list.state, ReadEnum<ListState>(row, 1,
                                      {ListState::kDraft, ListState::kApproved, ListState::kClosed,
                                       ListState::kDeleted}));
  list.definition = AsText(row.Blob(2));
  COMITY_ASSIGN_OR_RETURN(list.drafters, SplitPeople(row.Text(3)));
  COMITY_ASSIGN_OR_RETURN(list.content, ReadDigest(row, 4));
  list.drafted_at = row.Time(5);
  if (!row.Text(6).empty()) {
    COMITY_ASSIGN_OR_RETURN(list.approved_by, ReadId<policy::PersonId>(row, 6));
  }
  list.approved_at = row.TimeOrNull(7);
  list.validated_at = row.TimeOrNull(8);
  list.closed_at = row.TimeOrNull(9);
  list.delete_by = row.TimeOrNull(10);
  list.deleted_at = row.TimeOrNull(11);
  list.imports = row.Unsigned(12);
  list.importing = row.Integer(13) != 0;
  list.wrapped_key = row.Blob(14);
  list.manifest = row.Text(15);
  return list;
}

Result<EntryRecord> ReadEntry(const Query& row) {
  EntryRecord entry;
  entry.position = row.Unsigned(0);
  entry.reference = row.Text(1);
  COMITY_ASSIGN_OR_RETURN(entry.category, ReadId<policy::ListCategory>(row, 2));
  COMITY_ASSIGN_OR_RETURN(
      entry.state,
      ReadEnum<EntryState>(row, 3,
                           {EntryState::kActive, EntryState::kWithdrawn, EntryState::kExpired}));
  COMITY_ASSIGN_OR_RETURN(
      entry.restriction,
      ReadEnum<EntryRestriction>(
          row, 4,
          {EntryRestriction::kNone, EntryRestriction::kRestricted, EntryRestriction::kContested}));
  COMITY_ASSIGN_OR_RETURN(
      entry.clearance,
      ReadEnum<EntryClearance>(
          row, 5, {EntryClearance::kNotNeeded, EntryClearance::kPending, EntryClearance::kGiven}));
  entry.under_18 = row.Integer(6) != 0;
  entry.valid_from = row.Time(7);
  entry.expires_at = row.Time(8);
  entry.review_by = row.Time(9);
  entry.as_of = row.Time(10);
  entry.cleared_at = row.TimeOrNull(11);
  entry.ended_at = row.TimeOrNull(12);
  COMITY_ASSIGN_OR_RETURN(entry.rationale, ReadDigest(row, 13));
  entry.wrapped_key = row.Blob(14);
  return entry;
}

Result<EntryRecord> ReadWholeEntry(const Query& row) {
  COMITY_ASSIGN_OR_RETURN(EntryRecord entry, ReadEntry(row));
  entry.sealed_fields = row.Blob(15);
  entry.sealed_template = row.Blob(16);
  return entry;
}

std::string ApproverOf(const WatchlistRecord& list) {
  return list.approved_by ? list.approved_by->text() : std::string();
}

}  // namespace

Status SqlWatchlistStore::AddList(const WatchlistRecord& list) {
  return GuardedStep(connection_, "store the watchlist", [&]() -> Status {
    const std::uint64_t added =
        Query(connection_,
              "INSERT INTO watchlist (reference, state, definition, drafters, content, drafted_at,"
              " approved_by, approved_at, validated_at, closed_at, delete_by, deleted_at, imports,"
              " importing, wrapped_key, manifest)"
              " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
              list.reference.text(), Number(list.state), AsBytes(list.definition),
              JoinPeople(list.drafters), list.content.view(), list.drafted_at, ApproverOf(list),
              list.approved_at, list.validated_at, list.closed_at, list.delete_by, list.deleted_at,
              static_cast<std::int64_t>(list.imports), std::int64_t{list.importing},
              ByteView(list.wrapped_key), list.manifest)
            .Run();
    return IfAdded(added, "a watchlist of this reference exists");
  });
}

Status SqlWatchlistStore::ChangeList(const WatchlistRecord& list) {
  return GuardedStep(connection_, "change the watchlist", [&]() -> Status {
    const std::uint64_t changed =
        Query(connection_,
              "UPDATE watchlist SET state = ?, drafters = ?, content = ?, approved_by = ?,"
              " approved_at = ?, validated_at = ?, closed_at = ?, delete_by = ?, deleted_at = ?,"
              " imports = ?, importing = ?, wrapped_key = ?, manifest = ? WHERE reference = ?",
              Number(list.state), JoinPeople(list.drafters), list.content.view(), ApproverOf(list),
              list.approved_at, list.validated_at, list.closed_at, list.delete_by, list.deleted_at,
              static_cast<std::int64_t>(list.imports), std::int64_t{list.importing},
              ByteView(list.wrapped_key), list.manifest, list.reference.text())
            .Run();
    if (changed != 1) return Fail(ErrorCode::kNotFound, "no watchlist " + list.reference.text());
    if (list.wrapped_key.empty()) {
      connection_.NoteErasure({"watchlist", list.reference.text(), "closed", {}});
    }
    return {};
  });
}

Result<std::vector<WatchlistRecord>> SqlWatchlistStore::Lists() const {
  using Lists = std::vector<WatchlistRecord>;
  return GuardedStep(connection_, "read the watchlists", [&]() -> Result<Lists> {
    Lists lists;
    Query row(connection_, COMITY_LIST_COLUMNS " ORDER BY position");
    while (row.Next()) {
      COMITY_ASSIGN_OR_RETURN(auto list, ReadList(row));
      lists.push_back(std::move(list));
    }
    return lists;
  });
}

Result<WatchlistRecord> SqlWatchlistStore::List(const WatchlistId& reference) const {
  return GuardedStep(connection_, "read the watchlist", [&]() -> Result<WatchlistRecord> {
    Query row(connection_, COMITY_LIST_COLUMNS " WHERE reference = ?", reference.text());
    if (!row.Next()) return Fail(ErrorCode::kNotFound, "no watchlist " + reference.text());
    return ReadList(row);
  });
}

void SqlWatchlistStore::InsertEntry(const WatchlistId& list, std::uint64_t batch,
                                    const EntryRecord& entry) {
  Query(connection_,
        "INSERT INTO watchlist_entry (list, batch, reference, category, state, restriction,"
        " clearance, under_18, valid_from, expires_at, review_by, as_of, cleared_at, ended_at,"
        " rationale, wrapped_key, sealed_fields, sealed_template)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        list.text(), static_cast<std::int64_t>(batch), entry.reference, entry.category.text(),
        Number(entry.state), Number(entry.restriction), Number(entry.clearance),
        std::int64_t{entry.under_18}, entry.valid_from, entry.expires_at, entry.review_by,
        entry.as_of, entry.cleared_at, entry.ended_at, entry.rationale.view(),
        ByteView(entry.wrapped_key), ByteView(entry.sealed_fields), ByteView(entry.sealed_template))
      .RunLater();
}

Status SqlWatchlistStore::AddEntries(const WatchlistId& list, std::uint64_t batch,
                                     std::span<const EntryRecord> entries) {
  return GuardedStep(connection_, "store the entries", [&]() -> Status {
    // All or nothing, even if the caller goes on after an error.
    Savepoint whole(connection_);
    for (const EntryRecord& entry : entries) InsertEntry(list, batch, entry);
    connection_.SendWaiting();
    whole.Release();
    return {};
  });
}

Result<std::uint64_t> SqlWatchlistStore::RemoveEntries(const WatchlistId& list, std::uint64_t batch,
                                                       std::uint32_t limit) {
  return GuardedStep(connection_, "remove the entries", [&]() -> Result<std::uint64_t> {
    Query row(connection_,
              "DELETE FROM watchlist_entry WHERE position IN (SELECT position FROM"
              " watchlist_entry WHERE list = ? AND batch = ? ORDER BY position LIMIT ?)"
              " RETURNING reference",
              list.text(), static_cast<std::int64_t>(batch), limit);
    std::uint64_t removed = 0;
    for (; row.Next(); ++removed) {
      connection_.NoteErasure({"entry", list.text() + "/" + row.Text(0), "not-taken", {}});
    }
    return removed;
  });
}

// Whether the entry says something else than before, or is restricted now: in a backup of before it
// would come back as it was, so there it ends.
bool SqlWatchlistStore::Supersedes(const WatchlistId& list, const EntryRecord& entry) const {
  Query row(connection_,
            "SELECT CASE WHEN sealed_fields <> ? THEN 1 ELSE 0 END,"
            " CASE WHEN sealed_template <> ? THEN 1 ELSE 0 END, restriction"
            " FROM watchlist_entry WHERE list = ? AND reference = ?",
            ByteView(entry.sealed_fields), ByteView(entry.sealed_template), list.text(),
            entry.reference);
  if (!row.Next()) return false;
  const bool other_fields = !entry.sealed_fields.empty() && row.Integer(0) != 0;
  const bool other_template = !entry.sealed_template.empty() && row.Integer(1) != 0;
  const bool was_free = row.Integer(2) == Number(EntryRestriction::kNone);
  return other_fields || other_template ||
         (was_free && entry.restriction != EntryRestriction::kNone);
}

Status SqlWatchlistStore::ChangeEntry(const WatchlistId& list, const EntryRecord& entry) {
  return GuardedStep(connection_, "change the entry", [&]() -> Status {
    const bool erased = entry.wrapped_key.empty();
    const bool superseded = Supersedes(list, entry);
    const std::uint64_t changed =
        Query(connection_,
              "UPDATE watchlist_entry SET category = ?, state = ?, restriction = ?,"
              " clearance = ?, under_18 = ?, valid_from = ?, expires_at = ?, review_by = ?,"
              " as_of = ?, cleared_at = ?, ended_at = ?, rationale = ?, wrapped_key = ?,"
              " sealed_fields = CASE WHEN CAST(? AS BIGINT) = 1 THEN ? ELSE sealed_fields END,"
              " sealed_template = CASE WHEN CAST(? AS BIGINT) = 1 THEN ? ELSE sealed_template END"
              " WHERE list = ? AND reference = ?",
              entry.category.text(), Number(entry.state), Number(entry.restriction),
              Number(entry.clearance), std::int64_t{entry.under_18}, entry.valid_from,
              entry.expires_at, entry.review_by, entry.as_of, entry.cleared_at, entry.ended_at,
              entry.rationale.view(), ByteView(entry.wrapped_key),
              std::int64_t{erased || !entry.sealed_fields.empty()},
              erased ? ByteView() : ByteView(entry.sealed_fields),
              std::int64_t{erased || !entry.sealed_template.empty()},
              erased ? ByteView() : ByteView(entry.sealed_template), list.text(), entry.reference)
            .Run();
    if (changed != 1) return Fail(ErrorCode::kNotFound, "the watchlist has no such entry");
    if (erased) {
      const char* reason = entry.state == EntryState::kExpired ? "expired" : "withdrawn";
      connection_.NoteErasure(
          {"entry", list.text() + "/" + entry.reference, reason,
           entry.state == EntryState::kExpired ? entry.expires_at : policy::Instant()});
    } else if (superseded) {
      connection_.NoteErasure({"entry", list.text() + "/" + entry.reference, "corrected", {}});
    }
    return {};
  });
}

Result<std::uint64_t> SqlWatchlistStore::EraseEntries(const WatchlistId& list,
                                                      std::uint32_t limit) {
  return GuardedStep(connection_, "erase the entries", [&]() -> Result<std::uint64_t> {
    Query row(connection_,
              "UPDATE watchlist_entry SET wrapped_key = x'', sealed_fields = x'',"
              " sealed_template = x'' WHERE position IN (SELECT position FROM watchlist_entry"
              " WHERE list = ? AND wrapped_key <> x'' ORDER BY position LIMIT ?)"
              " RETURNING reference",
              list.text(), limit);
    std::uint64_t erased = 0;
    for (; row.Next(); ++erased) {
      connection_.NoteErasure({"entry", list.text() + "/" + row.Text(0), "closed", {}});
    }
    return erased;
  });
}

Result<EntryRecord> SqlWatchlistStore::Entry(const WatchlistId& list,
                                             std::string_view reference) const {
  return GuardedStep(connection_, "read the entry", [&]() -> Result<EntryRecord> {
    Query row(connection_,
              COMITY_ENTRY_COLUMNS ", e.sealed_fields, e.sealed_template" COMITY_ENTRIES_THAT_COUNT
                                   " AND e.list = ? AND e.reference = ?",
              list.text(), reference);
    if (!row.Next()) return Fail(ErrorCode::kNotFound, "the watchlist has no such entry");
    return ReadWholeEntry(row);
  });
}

Status SqlWatchlistStore::VisitEntries(const WatchlistId& list,
                                       const std::function<Status(EntryRecord)>& visit) const {
  return GuardedStep(connection_, "read the entries", [&]() -> Status {
    std::int64_t after = 0;
    for (std::int64_t rows = kPageRows; rows == kPageRows;) {
      Query row(connection_,
                COMITY_ENTRY_COLUMNS
                ", e.sealed_fields, e.sealed_template" COMITY_ENTRIES_THAT_COUNT
                " AND e.list = ? AND e.position > ? ORDER BY e.position LIMIT ?",
                list.text(), after, kPageRows);
      for (rows = 0; row.Next(); ++rows) {
        COMITY_ASSIGN_OR_RETURN(auto entry, ReadWholeEntry(row));
        after = static_cast<std::int64_t>(entry.position);
        COMITY_RETURN_IF_ERROR(visit(std::move(entry)));
      }
    }
    return {};
  });
}

Result<std::vector<EntryRecord>> SqlWatchlistStore::EntryPage(const WatchlistId& list,
                                                              std::uint64_t after,
                                                              std::uint32_t limit) const {
  using Entries = std::vector<EntryRecord>;
  return GuardedStep(connection_, "read the entries", [&]() -> Result<Entries> {
    COMITY_ASSIGN_OR_RETURN(const std::int64_t position, ToStored(after));
    Entries entries;
    Query row(connection_,
              COMITY_ENTRY_COLUMNS COMITY_ENTRIES_THAT_COUNT
              " AND e.list = ? AND e.position > ? ORDER BY e.position LIMIT ?",
              list.text(), position, limit);
    while (row.Next()) {
      COMITY_ASSIGN_OR_RETURN(auto entry, ReadEntry(row));
      entries.push_back(std::move(entry));
    }
    return entries;
  });
}

Result<std::uint64_t> SqlWatchlistStore::CountEntries(const WatchlistId& list) const {
  return GuardedStep(connection_, "count the entries", [&]() -> Result<std::uint64_t> {
    // Both databases answer from the index of what is to be erased.
    Query row(connection_,
              "SELECT count(*) FROM watchlist_entry WHERE list = ? AND wrapped_key <> x''",
              list.text());
    return row.Next() ? row.Unsigned(0) : 0;
  });
}

Result<std::vector<WatchlistId>> SqlWatchlistStore::ListsOf(std::string_view reference) const {
  using Ids = std::vector<WatchlistId>;
  return GuardedStep(connection_, "look for the reference", [&]() -> Result<Ids> {
    Ids lists;
    Query row(connection_,
              "SELECT e.list" COMITY_ENTRIES_THAT_COUNT " AND e.reference = ? ORDER BY e.position",
              reference);
    while (row.Next()) {
      COMITY_ASSIGN_OR_RETURN(WatchlistId list, ReadId<WatchlistId>(row, 0));
      lists.push_back(std::move(list));
    }
    return lists;
  });
}

#undef COMITY_ENTRY_COLUMNS
#undef COMITY_LIST_COLUMNS
#undef COMITY_ENTRIES_THAT_COUNT

}  // namespace comity::store
