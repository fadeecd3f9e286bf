// SPDX-License-Identifier: Apache-2.0
#include "services/store/sql/stop_store.h"

#include <utility>

#include "services/store/sql/bound_write.h"
#include "services/store/sql/guarded_call.h"
#include "services/store/sql/row.h"

namespace comity::store {
namespace {

// Reads the columns in the order in which each SELECT of this file names them.
Result<StopRecord> ReadStop(const Query& row) {
  using enum StopScope;
  StopRecord stop;
  stop.id = row.Text(0);
  COMITY_ASSIGN_OR_RETURN(
      stop.scope, ReadEnum<StopScope>(row, 1, {kDeployment, kWatchlist, kPartner, kAgreement}));
  stop.reference = row.Text(2);
  stop.set_by = row.Text(3);
  stop.reason = row.Text(4);
  stop.order = row.Text(5);
  stop.set_at = row.Time(6);
  if (!row.Text(7).empty()) {
    COMITY_ASSIGN_OR_RETURN(stop.lifted_by, ReadId<policy::PersonId>(row, 7));
  }
  stop.lift_reason = row.Text(8);
  stop.lifted_at = row.Time(9);
  return stop;
}

Result<std::vector<StopRecord>> ReadStops(Query& row) {
  std::vector<StopRecord> stops;
  while (row.Next()) {
    COMITY_ASSIGN_OR_RETURN(auto stop, ReadStop(row));
    stops.push_back(std::move(stop));
  }
  return stops;
}

}  // namespace

Status SqlStopStore::Add(const StopRecord& stop) {
  return GuardedStep(connection_, "store the stop", [&]() -> Status {
    return WriteBound(connection_, BoundTable::kStop, [&]() -> Status {
      const std::uint64_t added =
          Query(connection_,
                "INSERT INTO stop (id, scope, reference, set_by, reason, regulator, set_at, "
                "lifted_by,"
                " lift_reason, lifted_at) VALUES (?, ?, ?, ?, ?, ?, ?, '', '', 0)"
                " ON CONFLICT DO NOTHING",
                stop.id, static_cast<std::int64_t>(stop.scope), stop.reference, stop.set_by,
                stop.reason, stop.order, stop.set_at)
              .Run();
      return IfAdded(added, "the id of the stop is taken");
    });
  });
}

Status SqlStopStore::Lift(std::string_view id, const policy::PersonId& by, std::string_view reason,
                          policy::Instant at) {
  return GuardedStep(connection_, "lift the stop", [&]() -> Status {
    return WriteBound(connection_, BoundTable::kStop, [&]() -> Status {
      const std::uint64_t changed =
          Query(connection_,
                "UPDATE stop SET lifted_by = ?, lift_reason = ?, lifted_at = ?"
                " WHERE id = ? AND lifted_by = ''",
                by.text(), reason, at, id)
              .Run();
      if (changed == 1) return {};
      Query row(connection_, "SELECT 1 FROM stop WHERE id = ?", id);
      if (row.Next()) return Fail(ErrorCode::kConflict, "the stop is lifted already");
      return Fail(ErrorCode::kNotFound, "there is no such stop; `comity stop list` names them");
    });
  });
}

Result<StopRecord> SqlStopStore::Get(std::string_view id) const {
  return GuardedStep(connection_, "read the stop", [&]() -> Result<StopRecord> {
    Query row(connection_,
              "SELECT id, scope, reference, set_by, reason, regulator, set_at, lifted_by,"
              " lift_reason, lifted_at FROM stop WHERE id = ?",
              id);
    if (row.Next()) return ReadStop(row);
    return Fail(ErrorCode::kNotFound, "there is no such stop; `comity stop list` names them");
  });
}

Result<std::vector<StopRecord>> SqlStopStore::Standing() const {
  using Stops = std::vector<StopRecord>;
  return GuardedStep(connection_, "read the stops", [&]() -> Result<Stops> {
    COMITY_RETURN_IF_ERROR(CheckBound(connection_, BoundTable::kStop));
    Query row(connection_,
              "SELECT id, scope, reference, set_by, reason, regulator, set_at, lifted_by,"
              " lift_reason, lifted_at FROM stop WHERE lifted_by = '' ORDER BY position");
    return ReadStops(row);
  });
}

Result<std::vector<StopRecord>> SqlStopStore::Newest(std::uint32_t limit) const {
  using Stops = std::vector<StopRecord>;
  return GuardedStep(connection_, "read the stops", [&]() -> Result<Stops> {
    Query row(connection_,
              "SELECT id, scope, reference, set_by, reason, regulator, set_at, lifted_by,"
              " lift_reason, lifted_at FROM stop ORDER BY position DESC LIMIT ?",
              limit);
    return ReadStops(row);
  });
}

}  // namespace comity::store
