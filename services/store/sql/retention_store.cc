// SPDX-License-Identifier: Apache-2.0
#include "services/store/sql/retention_store.h"

#include <span>

#include "services/store/sql/bound_write.h"
#include "services/store/sql/guarded_call.h"
#include "services/store/sql/retained_classes.h"
#include "services/store/sql/row.h"

namespace comity::store {

using policy::Instant;
using policy::RetentionClass;

namespace {

tl::unexpected<Error> NothingKept(RetentionClass record_class) {
  return Fail(ErrorCode::kInvalidArgument, "the store keeps no record of the class " +
                                               std::string(policy::Name(record_class)) +
                                               " under a reference");
}

std::int64_t Stored(Instant at) {
  return at.time_since_epoch().count();
}

// The keys of this row, which stand after its reference, in place of the last one's.
void ReadKeys(const Query& row, std::span<StoredValue> keys) {
  int column = 0;
  for (StoredValue& key : keys) {
    ++column;
    if (std::holds_alternative<std::int64_t>(key)) {
      key = row.Integer(column);
    } else {
      key = row.Text(column);
    }
  }
}

Status VisitPages(Connection& connection, const RetainedPages& pages,
                  const std::function<Status(std::string_view)>& visit) {
  std::vector<StoredValue> arguments = pages.start;
  arguments.emplace_back(kPageRows);
  for (std::int64_t rows = kPageRows; rows == kPageRows;) {
    Query row(connection, pages.sql, arguments);
    for (rows = 0; row.Next(); ++rows) {
      ReadKeys(row, std::span(arguments).first(pages.start.size()));
      COMITY_RETURN_IF_ERROR(visit(row.Text(0)));
    }
  }
  return {};
}

Result<RestorationRecord> ReadRestoration(const Query& row) {
  RestorationRecord restoration;
  COMITY_ASSIGN_OR_RETURN(
      restoration.state,
      ReadEnum<RestorationState>(row, 0,
                                 {RestorationState::kNever, RestorationState::kCopy,
                                  RestorationState::kRestored, RestorationState::kConfirmed}));
  restoration.backup = row.Text(1);
  restoration.made_at = row.Time(2);
  restoration.log_size = row.Unsigned(3);
  restoration.largest_seen = row.Unsigned(4);
  restoration.ledger_until = row.Time(5);
  restoration.replayed = row.Unsigned(6);
  restoration.restored_at = row.Time(7);
  restoration.confirmed_at = row.Time(8);
  restoration.log_origin = row.Text(9);
  restoration.ledger.sequence = row.Unsigned(10);
  COMITY_ASSIGN_OR_RETURN(restoration.ledger.hash, ReadDigest(row, 11));
  return restoration;
}

}  // namespace

Result<std::vector<RetainedRecord>> SqlRetentionStore::Due(RetentionClass record_class,
                                                           Instant until,
                                                           std::uint32_t limit) const {
  using Records = std::vector<RetainedRecord>;
  const RetainedSql* sql = SqlOf(record_class);
  if (sql == nullptr || !sql->due) return NothingKept(record_class);
  return GuardedStep(connection_, "read what is due", [&]() -> Result<Records> {
    COMITY_RETURN_IF_ERROR(CheckBound(connection_, BoundTable::kRetentionHold));
    Records records;
    const NamedValues values{{"until", Stored(until)}, {"limit", std::int64_t{limit}}};
    Query row(connection_, sql->due->sql(), sql->due->Arguments(values));
    while (row.Next()) records.push_back({row.Text(0), row.Time(1)});
    return records;
  });
}

Result<RetainedCount> SqlRetentionStore::Count(RetentionClass record_class) const {
  const RetainedSql* sql = SqlOf(record_class);
  if (sql == nullptr) return NothingKept(record_class);
  return GuardedStep(connection_, "count what is kept", [&]() -> Result<RetainedCount> {
    Query row(connection_, sql->count);
    row.Next();
    RetainedCount count{row.Unsigned(0), row.Unsigned(1), {}};
    if (!row.IsNull(2)) count.oldest = row.Time(2);
    return count;
  });
}

Result<bool> SqlRetentionStore::Erase(RetentionClass record_class, const ErasedRecord& record,
                                      Instant at) {
  const RetainedSql* sql = SqlOf(record_class);
  if (sql == nullptr || sql->erasures.empty()) return NothingKept(record_class);
  return GuardedStep(connection_, "erase the record", [&]() -> Result<bool> {
    bool found = false;
    for (const RetainedErasure& erasure : sql->erasures) {
      std::optional<NamedValues> values = MatchForm(erasure.form, record.reference);
      if (!values) continue;
      values->emplace("at", Stored(at));
      const auto arguments = erasure.statement.Arguments(*values);
      found = Query(connection_, erasure.statement.sql(), arguments).Run() > 0 || found;
    }
    if (found) connection_.NoteErasure(record);
    return found;
  });
}

Status SqlRetentionStore::VisitKept(RetentionClass record_class,
                                    const std::function<Status(std::string_view)>& visit) const {
  const RetainedSql* sql = SqlOf(record_class);
  if (sql == nullptr || sql->pages.empty()) return NothingKept(record_class);
  return GuardedStep(connection_, "read what is kept", [&]() -> Status {
    for (const RetainedPages& pages : sql->pages) {
      COMITY_RETURN_IF_ERROR(VisitPages(connection_, pages, visit));
    }
    return {};
  });
}

Status SqlRetentionStore::AddErasure(const ErasureRecord& erasure) {
  return GuardedStep(connection_, "record the erasure", [&]() -> Status {
    COMITY_ASSIGN_OR_RETURN(const std::int64_t records, ToStored(erasure.records));
    COMITY_ASSIGN_OR_RETURN(const std::int64_t sequence, ToStored(erasure.sequence));
    Query(connection_,
          "INSERT INTO erasure (at, record_class, reason, records, sequence, late_ms)"
          " VALUES (?, ?, ?, ?, ?, ?)",
          erasure.at, erasure.record_class, erasure.reason, records, sequence, erasure.late_ms)
        .Run();
    return {};
  });
}

Result<std::vector<ErasureRecord>> SqlRetentionStore::Erasures(Instant from, Instant to,
                                                               std::uint32_t limit) const {
  using Erasures = std::vector<ErasureRecord>;
  return GuardedStep(connection_, "read the erasures", [&]() -> Result<Erasures> {
    Erasures erasures;
    Query row(connection_,
              "SELECT at, record_class, reason, records, sequence, late_ms FROM erasure"
              " WHERE at >= ? AND at < ? ORDER BY at, position LIMIT ?",
              from, to, limit);
    while (row.Next()) {
      erasures.push_back({row.Time(0), row.Text(1), row.Text(2), row.Unsigned(3), row.Unsigned(4),
                          row.Integer(5)});
    }
    return erasures;
  });
}

Result<LedgerHead> SqlRetentionStore::Head() const {
  return GuardedStep(connection_, "read the ledger's head", [&]() -> Result<LedgerHead> {
    Query row(connection_, "SELECT sequence, hash FROM erasure_head WHERE id = 1");
    if (!row.Next()) return LedgerHead{};
    COMITY_ASSIGN_OR_RETURN(const Digest hash, ReadDigest(row, 1));
    return LedgerHead{row.Unsigned(0), hash};
  });
}

Status SqlRetentionStore::SetHead(const LedgerHead& head) {
  return GuardedStep(connection_, "note the ledger's head", [&]() -> Status {
    COMITY_ASSIGN_OR_RETURN(const std::int64_t sequence, ToStored(head.sequence));
    Query(connection_,
          "INSERT INTO erasure_head (id, sequence, hash) VALUES (1, ?, ?)"
          " ON CONFLICT (id) DO UPDATE SET sequence = excluded.sequence, hash = excluded.hash",
          sequence, head.hash.view())
        .Run();
    return {};
  });
}

Result<RestorationRecord> SqlRetentionStore::Restoration() const {
  return GuardedStep(connection_, "read the restoration", [&]() -> Result<RestorationRecord> {
    COMITY_RETURN_IF_ERROR(CheckBound(connection_, BoundTable::kRestoration));
    Query row(connection_,
              "SELECT state, backup, made_at, log_size, largest_seen, ledger_until, replayed,"
              " restored_at, confirmed_at, log_origin, ledger_line, ledger_hash FROM restoration"
              " WHERE id = 1");
    if (!row.Next()) return RestorationRecord{};
    return ReadRestoration(row);
  });
}

Status SqlRetentionStore::PutRestoration(const RestorationRecord& restoration) {
  return GuardedStep(connection_, "store the restoration", [&]() -> Status {
    return WriteBound(connection_, BoundTable::kRestoration, [&]() -> Status {
      COMITY_ASSIGN_OR_RETURN(const std::int64_t log_size, ToStored(restoration.log_size));
      COMITY_ASSIGN_OR_RETURN(const std::int64_t largest, ToStored(restoration.largest_seen));
      COMITY_ASSIGN_OR_RETURN(const std::int64_t replayed, ToStored(restoration.replayed));
      COMITY_ASSIGN_OR_RETURN(const std::int64_t line, ToStored(restoration.ledger.sequence));
      Query(connection_,
            "INSERT INTO restoration (id, state, backup, made_at, log_size, largest_seen,"
            " ledger_until, replayed, restored_at, confirmed_at, log_origin, ledger_line, "
            "ledger_hash)"
            " VALUES (1, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET"
            " state = excluded.state, backup = excluded.backup, made_at = excluded.made_at,"
            " log_size = excluded.log_size, largest_seen = excluded.largest_seen,"
            " ledger_until = excluded.ledger_until, replayed = excluded.replayed,"
            " restored_at = excluded.restored_at, confirmed_at = excluded.confirmed_at,"
            " log_origin = excluded.log_origin, ledger_line = excluded.ledger_line,"
            " ledger_hash = excluded.ledger_hash",
            static_cast<std::int64_t>(restoration.state), restoration.backup, restoration.made_at,
            log_size, largest, restoration.ledger_until, replayed, restoration.restored_at,
            restoration.confirmed_at, restoration.log_origin, line, restoration.ledger.hash.view())
          .Run();
      return {};
    });
  });
}

Result<std::vector<policy::AgencyId>> SqlRetentionStore::Reached() const {
  using Peers = std::vector<policy::AgencyId>;
  return GuardedStep(connection_, "read who was reached", [&]() -> Result<Peers> {
    COMITY_RETURN_IF_ERROR(CheckBound(connection_, BoundTable::kRestoration));
    Peers peers;
    Query row(connection_, "SELECT peer FROM restoration_reached ORDER BY peer");
    while (row.Next()) {
      COMITY_ASSIGN_OR_RETURN(auto peer, ReadId<policy::AgencyId>(row, 0));
      peers.push_back(std::move(peer));
    }
    return peers;
  });
}

Status SqlRetentionStore::NoteReached(const policy::AgencyId& peer) {
  return GuardedStep(connection_, "note who was reached", [&]() -> Status {
    return WriteBound(connection_, BoundTable::kRestoration, [&]() -> Status {
      Query(connection_,
            "INSERT INTO restoration_reached (peer) VALUES (?) ON CONFLICT (peer) DO NOTHING",
            peer.text())
          .Run();
      return {};
    });
  });
}

}  // namespace comity::store
