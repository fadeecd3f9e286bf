// SPDX-License-Identifier: Apache-2.0
#include "services/store/sqlite/aggregates.h"
#include "services/store/sqlite/guarded_call.h"
#include "services/store/sqlite/row.h"

namespace comity::store {
namespace {

std::int64_t Number(AlertState state) {
  return static_cast<std::int64_t>(state);
}

// Reads the columns in the order in which each SELECT of this file names them.
Result<AlertRecord> ReadAlert(const Query& row) {
  AlertRecord alert;
  alert.id = row.Text(0);
  if (!row.Text(1).empty()) {  // empty: an alert of a retrospective search
    COMITY_ASSIGN_OR_RETURN(alert.deployment, ReadId<policy::DeploymentId>(row, 1));
  }
  COMITY_ASSIGN_OR_RETURN(alert.holder, ReadId<policy::AgencyId>(row, 2));
  alert.reference = row.Text(3);
  COMITY_ASSIGN_OR_RETURN(
      alert.state, ReadEnum<AlertState>(row, 4, {AlertState::kNew, AlertState::kAcknowledged}));
  alert.first_seen = row.Time(5);
  alert.last_seen = row.Time(6);
  alert.expires_at = row.Time(7);
  COMITY_ASSIGN_OR_RETURN(alert.frames, ReadUint32(row, 8));
  alert.wrapped_key = row.Blob(9);
  alert.sealed = row.Blob(10);
  return alert;
}

}  // namespace

Status SqliteAlertStore::Put(const AlertRecord& alert) {
  return GuardedStep(connection_, "store the alert", [&]() -> Status {
    Query(connection_,
          "INSERT INTO alert (id, deployment, holder, reference, state, first_seen, last_seen,"
          " expires_at, frames, wrapped_key, sealed) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
          " ON CONFLICT (id) DO UPDATE SET deployment = excluded.deployment,"
          " holder = excluded.holder, reference = excluded.reference, state = excluded.state,"
          " first_seen = excluded.first_seen, last_seen = excluded.last_seen,"
          " expires_at = excluded.expires_at, frames = excluded.frames,"
          " wrapped_key = excluded.wrapped_key, sealed = excluded.sealed",
          alert.id, alert.deployment.text(), alert.holder.text(), alert.reference,
          Number(alert.state), alert.first_seen, alert.last_seen, alert.expires_at, alert.frames,
          ByteView(alert.wrapped_key), ByteView(alert.sealed))
        .Run();
    return {};
  });
}

Result<AlertRecord> SqliteAlertStore::Get(std::string_view id) const {
  return GuardedStep(connection_, "read the alert", [&]() -> Result<AlertRecord> {
    Query row(connection_,
              "SELECT id, deployment, holder, reference, state, first_seen, last_seen, expires_at,"
              " frames, wrapped_key, sealed FROM alert WHERE id = ?",
              id);
    if (!row.Next()) return Fail(ErrorCode::kNotFound, "there is no such alert");
    return ReadAlert(row);
  });
}

Result<std::optional<AlertRecord>> SqliteAlertStore::FindLatest(
    const policy::DeploymentId& deployment, const policy::AgencyId& holder,
    std::string_view reference) const {
  using Found = std::optional<AlertRecord>;
  return GuardedStep(connection_, "find the alert", [&]() -> Result<Found> {
    Query row(connection_,
              "SELECT id, deployment, holder, reference, state, first_seen, last_seen, expires_at,"
              " frames, wrapped_key, sealed FROM alert WHERE deployment = ? AND holder = ? AND "
              "reference = ?"
              " ORDER BY first_seen DESC, position DESC LIMIT 1",
              deployment.text(), holder.text(), reference);
    if (!row.Next()) return Found();
    COMITY_ASSIGN_OR_RETURN(auto alert, ReadAlert(row));
    return Found(std::move(alert));
  });
}

Result<std::vector<AlertRecord>> SqliteAlertStore::Open(policy::Instant now,
                                                        std::uint32_t limit) const {
  using Alerts = std::vector<AlertRecord>;
  return GuardedStep(connection_, "read the alerts", [&]() -> Result<Alerts> {
    Alerts alerts;
    Query row(connection_,
              "SELECT id, deployment, holder, reference, state, first_seen, last_seen, expires_at,"
              " frames, wrapped_key, sealed FROM alert WHERE expires_at > ?"
              " ORDER BY first_seen DESC, position DESC LIMIT ?",
              now, limit);
    while (row.Next()) {
      COMITY_ASSIGN_OR_RETURN(auto alert, ReadAlert(row));
      alerts.push_back(std::move(alert));
    }
    return alerts;
  });
}

Result<std::uint64_t> SqliteAlertStore::EraseExpired(policy::Instant now) {
  return GuardedStep(connection_, "erase expired alerts", [&]() -> Result<std::uint64_t> {
    const std::uint64_t erased =
        Query(connection_,
              "UPDATE alert SET wrapped_key = x'', sealed = x''"
              " WHERE expires_at <= ? AND (wrapped_key <> x'' OR sealed <> x'')",
              now)
            .Run();
    if (erased > 0) connection_.NoteErasure();
    return erased;
  });
}

}  // namespace comity::store
