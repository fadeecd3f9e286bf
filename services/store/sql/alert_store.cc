// SPDX-License-Identifier: Apache-2.0
#include "services/store/sql/aggregates.h"
#include "services/store/sql/bound_write.h"
#include "services/store/sql/guarded_call.h"
#include "services/store/sql/row.h"

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
      alert.state,
      ReadEnum<AlertState>(row, 4,
                           {AlertState::kNew, AlertState::kAcknowledged, AlertState::kWithdrawn}));
  alert.first_seen = row.Time(5);
  alert.last_seen = row.Time(6);
  alert.expires_at = row.Time(7);
  COMITY_ASSIGN_OR_RETURN(alert.frames, ReadUint32(row, 8));
  if (!row.Text(9).empty()) {
    COMITY_ASSIGN_OR_RETURN(alert.agreement, ReadId<policy::AgreementId>(row, 9));
  }
  COMITY_ASSIGN_OR_RETURN(alert.version, ReadUint32(row, 10));
  alert.change = row.Text(11);
  alert.changed_at = row.Time(12);
  alert.wrapped_key = row.Blob(13);
  alert.sealed = row.Blob(14);
  alert.answer = row.Text(15);
  return alert;
}

Result<std::vector<AlertRecord>> ReadAlerts(Query& row) {
  std::vector<AlertRecord> alerts;
  while (row.Next()) {
    COMITY_ASSIGN_OR_RETURN(auto alert, ReadAlert(row));
    alerts.push_back(std::move(alert));
  }
  return alerts;
}

}  // namespace

Status SqlAlertStore::Put(const AlertRecord& alert) {
  return GuardedStep(connection_, "store the alert", [&]() -> Status {
    Query(
        connection_,
        "INSERT INTO alert (id, deployment, holder, reference, state, first_seen, last_seen,"
        " expires_at, frames, agreement, version, change, changed_at, wrapped_key, sealed, answer)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
        " ON CONFLICT (id) DO UPDATE SET deployment = excluded.deployment,"
        " holder = excluded.holder, reference = excluded.reference, state = excluded.state,"
        " first_seen = excluded.first_seen, last_seen = excluded.last_seen,"
        " expires_at = excluded.expires_at, frames = excluded.frames,"
        " agreement = excluded.agreement, version = excluded.version,"
        " change = excluded.change, changed_at = excluded.changed_at,"
        " wrapped_key = excluded.wrapped_key, sealed = excluded.sealed, answer = excluded.answer",
        alert.id, alert.deployment.text(), alert.holder.text(), alert.reference,
        Number(alert.state), alert.first_seen, alert.last_seen, alert.expires_at, alert.frames,
        alert.agreement.text(), alert.version, alert.change, alert.changed_at,
        ByteView(alert.wrapped_key), ByteView(alert.sealed), alert.answer)
        .Run();
    if (alert.sealed.empty()) {
      connection_.NoteErasure({"alert", alert.id, "withdrawn", {}});
    } else if (alert.state == AlertState::kWithdrawn) {
      // Kept by a hold: out of a backup of before it would come back as one to act on.
      connection_.NoteErasure({"alert", alert.id, "corrected", {}});
    }
    return {};
  });
}

Result<AlertRecord> SqlAlertStore::Get(std::string_view id) const {
  return GuardedStep(connection_, "read the alert", [&]() -> Result<AlertRecord> {
    Query row(
        connection_,
        "SELECT id, deployment, holder, reference, state, first_seen, last_seen, expires_at,"
        " frames, agreement, version, change, changed_at, wrapped_key, sealed, answer FROM alert"
        " WHERE id = ?",
        id);
    if (!row.Next()) return Fail(ErrorCode::kNotFound, "there is no such alert");
    return ReadAlert(row);
  });
}

Result<std::optional<AlertRecord>> SqlAlertStore::FindLatest(const policy::DeploymentId& deployment,
                                                             const policy::AgencyId& holder,
                                                             std::string_view reference) const {
  using Found = std::optional<AlertRecord>;
  return GuardedStep(connection_, "find the alert", [&]() -> Result<Found> {
    Query row(
        connection_,
        "SELECT id, deployment, holder, reference, state, first_seen, last_seen, expires_at,"
        " frames, agreement, version, change, changed_at, wrapped_key, sealed, answer FROM alert"
        " WHERE deployment = ? AND holder = ? AND reference = ?"
        " ORDER BY first_seen DESC, position DESC LIMIT 1",
        deployment.text(), holder.text(), reference);
    if (!row.Next()) return Found();
    COMITY_ASSIGN_OR_RETURN(auto alert, ReadAlert(row));
    return Found(std::move(alert));
  });
}

Result<std::vector<AlertRecord>> SqlAlertStore::Open(policy::Instant now,
                                                     std::uint32_t limit) const {
  using Alerts = std::vector<AlertRecord>;
  return GuardedStep(connection_, "read the alerts", [&]() -> Result<Alerts> {
    Query row(
        connection_,
        "SELECT id, deployment, holder, reference, state, first_seen, last_seen, expires_at,"
        " frames, agreement, version, change, changed_at, wrapped_key, sealed, answer FROM alert"
        " WHERE expires_at > ? AND state <> 3 AND sealed <> x''"
        " ORDER BY first_seen DESC, position DESC LIMIT ?",
        now, limit);
    return ReadAlerts(row);
  });
}

Result<std::vector<AlertRecord>> SqlAlertStore::OfReference(const policy::AgencyId& holder,
                                                            std::string_view reference) const {
  using Alerts = std::vector<AlertRecord>;
  return GuardedStep(connection_, "read the alerts of an entry", [&]() -> Result<Alerts> {
    Query row(
        connection_,
        "SELECT id, deployment, holder, reference, state, first_seen, last_seen, expires_at,"
        " frames, agreement, version, change, changed_at, wrapped_key, sealed, answer FROM alert"
        " WHERE holder = ? AND reference = ? AND sealed <> x'' ORDER BY position",
        holder.text(), reference);
    return ReadAlerts(row);
  });
}

Result<std::vector<AlertRecord>> SqlAlertStore::OfAnswer(const policy::AgencyId& holder,
                                                         std::string_view answer) const {
  using Alerts = std::vector<AlertRecord>;
  return GuardedStep(connection_, "read the alerts of an answer", [&]() -> Result<Alerts> {
    // Each spelled so that the database can prove the condition of the partial index that serves
    // it.
    Query row(connection_,
              answer.empty()
                  ? "SELECT id, deployment, holder, reference, state, first_seen, last_seen,"
                    " expires_at, frames, agreement, version, change, changed_at, wrapped_key,"
                    " sealed, answer FROM alert WHERE holder = ? AND answer = '' AND answer = ?"
                    " AND reference = '' AND sealed <> x'' ORDER BY position"
                  : "SELECT id, deployment, holder, reference, state, first_seen, last_seen,"
                    " expires_at, frames, agreement, version, change, changed_at, wrapped_key,"
                    " sealed, answer FROM alert WHERE holder = ? AND answer <> '' AND answer = ?"
                    " AND sealed <> x'' ORDER BY position",
              holder.text(), answer);
    return ReadAlerts(row);
  });
}

Result<std::vector<AlertRecord>> SqlAlertStore::OfAgreement(
    const policy::AgreementId& agreement) const {
  using Alerts = std::vector<AlertRecord>;
  return GuardedStep(connection_, "read the alerts of an agreement", [&]() -> Result<Alerts> {
    Alerts alerts;
    std::int64_t after = 0;
    for (std::int64_t rows = kPageRows; rows == kPageRows;) {
      Query row(
          connection_,
          "SELECT id, deployment, holder, reference, state, first_seen, last_seen, expires_at,"
          " frames, agreement, version, change, changed_at, wrapped_key, sealed, answer, position"
          " FROM alert WHERE agreement IN (?, '') AND sealed <> x'' AND position > ?"
          " ORDER BY position LIMIT ?",
          agreement.text(), after, kPageRows);
      for (rows = 0; row.Next(); ++rows) {
        COMITY_ASSIGN_OR_RETURN(auto alert, ReadAlert(row));
        alerts.push_back(std::move(alert));
        after = row.Integer(16);
      }
    }
    return alerts;
  });
}

Result<std::uint64_t> SqlAlertStore::EraseExpired(policy::Instant now) {
  return GuardedStep(connection_, "erase expired alerts", [&]() -> Result<std::uint64_t> {
    COMITY_RETURN_IF_ERROR(CheckBound(connection_, BoundTable::kRetentionHold));
    Query row(connection_,
              "UPDATE alert SET wrapped_key = x'', sealed = x'', reference = ''"
              " WHERE position IN (SELECT position FROM alert WHERE expires_at <= ?"
              " AND (wrapped_key <> x'' OR sealed <> x'')"
              " AND NOT EXISTS (SELECT 1 FROM retention_hold h WHERE h.released_at IS NULL"
              " AND h.record_class = 'alert' AND h.reference IN (alert.id, '*'))"
              " ORDER BY expires_at LIMIT ?) RETURNING id, expires_at",
              now, AlertStore::kMostErased);
    std::uint64_t erased = 0;
    for (; row.Next(); ++erased) {
      connection_.NoteErasure({"alert", row.Text(0), "expired", row.Time(1)});
    }
    return erased;
  });
}

Result<AlertStore::Left> SqlAlertStore::LeftOf(const policy::DeploymentId& deployment) const {
  return GuardedStep(connection_, "count the deployment's alerts", [&]() -> Result<Left> {
    Query row(connection_,
              "SELECT count(*), coalesce(max(expires_at), 0) FROM alert"
              " WHERE deployment = ? AND (wrapped_key <> x'' OR sealed <> x'')",
              deployment.text());
    if (!row.Next()) return Fail(ErrorCode::kInternal, "a count gave no row");
    return Left{row.Unsigned(0), row.Time(1)};
  });
}

}  // namespace comity::store
