// SPDX-License-Identifier: Apache-2.0
#include "services/store/sql/deployment_store.h"

#include <algorithm>
#include <array>
#include <utility>

#include "crypto/base/check.h"
#include "services/store/sql/bound_write.h"
#include "services/store/sql/guarded_call.h"
#include "services/store/sql/row.h"

namespace comity::store {
namespace {

using policy::Instant;

// Instants that are not there yet: those before 1970 do not occur.
std::int64_t Stored(const std::optional<Instant>& at) {
  return at ? std::int64_t{at->time_since_epoch().count()} : 0;
}

std::optional<Instant> ReadTime(const Query& row, int column) {
  if (row.Integer(column) == 0) return std::nullopt;
  return row.Time(column);
}

template <typename Enum>
std::int64_t Number(Enum value) {
  return static_cast<std::int64_t>(value);
}

// Reads the columns in the order in which each SELECT of this file names them.
Result<DeploymentRecord> ReadDeployment(const Query& row) {
  using enum DeploymentState;
  DeploymentRecord deployment;
  COMITY_ASSIGN_OR_RETURN(deployment.id, ReadId<policy::DeploymentId>(row, 0));
  COMITY_ASSIGN_OR_RETURN(deployment.state,
                          ReadEnum<DeploymentState>(row, 1, {kActive, kStopped, kOver, kClosed}));
  deployment.created_at = row.Time(2);
  deployment.starts_at = row.Time(3);
  deployment.ends_at = row.Time(4);
  deployment.created_by = row.Text(5);
  deployment.approved_by = row.Text(6);
  deployment.definition = row.Text(7);
  deployment.activated_at = ReadTime(row, 8);
  deployment.ended_at = ReadTime(row, 9);
  deployment.deletion_due_at = ReadTime(row, 10);
  deployment.closed_at = ReadTime(row, 11);
  deployment.faces = row.Unsigned(12);
  deployment.alerts = row.Unsigned(13);
  deployment.false_alerts = row.Unsigned(14);
  return deployment;
}

Result<std::vector<DeploymentRecord>> ReadDeployments(Query& row) {
  std::vector<DeploymentRecord> deployments;
  while (row.Next()) {
    COMITY_ASSIGN_OR_RETURN(auto deployment, ReadDeployment(row));
    deployments.push_back(std::move(deployment));
  }
  return deployments;
}

Result<DeploymentHolderRecord> ReadHolder(const Query& row) {
  using enum HolderState;
  DeploymentHolderRecord holder;
  COMITY_ASSIGN_OR_RETURN(holder.deployment, ReadId<policy::DeploymentId>(row, 0));
  COMITY_ASSIGN_OR_RETURN(holder.holder, ReadId<policy::AgencyId>(row, 1));
  COMITY_ASSIGN_OR_RETURN(
      holder.state,
      ReadEnum<HolderState>(row, 2, {kWaiting, kValidated, kStale, kRefused, kUnreachable}));
  holder.reason = row.Text(3);
  holder.checked_at = row.Time(4);
  holder.validated_at = ReadTime(row, 5);
  holder.entries = row.Unsigned(6);
  holder.alerts = row.Unsigned(7);
  holder.false_alerts = row.Unsigned(8);
  return holder;
}

tl::unexpected<Error> NoDeployment(const policy::DeploymentId& id) {
  return Fail(ErrorCode::kNotFound, "there is no deployment " + id.text());
}

}  // namespace

Status SqlDeploymentStore::Add(const DeploymentRecord& deployment) {
  return GuardedStep(connection_, "store the deployment", [&]() -> Status {
    return WriteBound(connection_, BoundTable::kDeployment, [&]() -> Status {
      COMITY_ASSIGN_OR_RETURN(const auto faces, ToStored(deployment.faces));
      COMITY_ASSIGN_OR_RETURN(const auto alerts, ToStored(deployment.alerts));
      COMITY_ASSIGN_OR_RETURN(const auto false_alerts, ToStored(deployment.false_alerts));
      const std::uint64_t added =
          Query(
              connection_,
              "INSERT INTO deployment (id, state, created_at, starts_at, ends_at, created_by,"
              " approved_by, definition, activated_at, ended_at, deletion_due_at, closed_at, faces,"
              " alerts, false_alerts) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
              " ON CONFLICT DO NOTHING",
              deployment.id.text(), Number(deployment.state), deployment.created_at,
              deployment.starts_at, deployment.ends_at, deployment.created_by,
              deployment.approved_by, deployment.definition, Stored(deployment.activated_at),
              Stored(deployment.ended_at), Stored(deployment.deletion_due_at),
              Stored(deployment.closed_at), faces, alerts, false_alerts)
              .Run();
      return IfAdded(added, "the id of the deployment is taken");
    });
  });
}

Status SqlDeploymentStore::Change(const DeploymentRecord& deployment, DeploymentState from) {
  return GuardedStep(connection_, "change the deployment", [&]() -> Status {
    return WriteBound(connection_, BoundTable::kDeployment, [&]() -> Status {
      const std::uint64_t changed =
          Query(connection_,
                "UPDATE deployment SET state = ?, starts_at = ?, ends_at = ?, definition = ?,"
                " activated_at = ?, ended_at = ?, deletion_due_at = ?, closed_at = ?"
                " WHERE id = ? AND state = ?",
                Number(deployment.state), deployment.starts_at, deployment.ends_at,
                deployment.definition, Stored(deployment.activated_at), Stored(deployment.ended_at),
                Stored(deployment.deletion_due_at), Stored(deployment.closed_at),
                deployment.id.text(), Number(from))
              .Run();
      if (changed == 1) return {};
      Query row(connection_, "SELECT 1 FROM deployment WHERE id = ?", deployment.id.text());
      if (!row.Next()) return NoDeployment(deployment.id);
      return Fail(ErrorCode::kConflict, "the deployment stands in another state meanwhile");
    });
  });
}

Status SqlDeploymentStore::AddCounts(const policy::DeploymentId& id, std::uint64_t faces,
                                     std::uint64_t alerts) {
  return GuardedStep(connection_, "count for the deployment", [&]() -> Status {
    return WriteBound(connection_, BoundTable::kDeployment, [&]() -> Status {
      COMITY_ASSIGN_OR_RETURN(const auto more_faces, ToStored(faces));
      COMITY_ASSIGN_OR_RETURN(const auto more_alerts, ToStored(alerts));
      const std::uint64_t changed =
          Query(connection_,
                "UPDATE deployment SET faces = faces + ?, alerts = alerts + ? WHERE id = ?",
                more_faces, more_alerts, id.text())
              .Run();
      if (changed == 0) return NoDeployment(id);
      return {};
    });
  });
}

Result<DeploymentRecord> SqlDeploymentStore::AddFalseAlert(const policy::DeploymentId& id,
                                                           const policy::AgencyId& holder) {
  return GuardedStep(connection_, "count a false alert", [&]() -> Result<DeploymentRecord> {
    COMITY_RETURN_IF_ERROR(WriteBound(connection_, BoundTable::kDeployment, [&]() -> Status {
      Query(connection_, "UPDATE deployment SET false_alerts = false_alerts + 1 WHERE id = ?",
            id.text())
          .Run();
      Query(connection_,
            "UPDATE deployment_holder SET false_alerts = false_alerts + 1"
            " WHERE deployment = ? AND holder = ?",
            id.text(), holder.text())
          .Run();
      return {};
    }));
    return Get(id);
  });
}

Status SqlDeploymentStore::PutHolder(const DeploymentHolderRecord& holder) {
  return GuardedStep(connection_, "store the deployment's holder", [&]() -> Status {
    Query row(connection_, "SELECT 1 FROM deployment WHERE id = ?", holder.deployment.text());
    if (!row.Next()) return NoDeployment(holder.deployment);
    COMITY_ASSIGN_OR_RETURN(const auto entries, ToStored(holder.entries));
    Query(connection_,
          "INSERT INTO deployment_holder (deployment, holder, state, reason, checked_at,"
          " validated_at, entries, alerts, false_alerts) VALUES (?, ?, ?, ?, ?, ?, ?, 0, 0)"
          " ON CONFLICT (deployment, holder) DO UPDATE SET state = excluded.state,"
          " reason = excluded.reason, checked_at = excluded.checked_at,"
          " validated_at = excluded.validated_at, entries = excluded.entries",
          holder.deployment.text(), holder.holder.text(), Number(holder.state), holder.reason,
          holder.checked_at, Stored(holder.validated_at), entries)
        .Run();
    return {};
  });
}

Status SqlDeploymentStore::AddHolderAlerts(const policy::DeploymentId& id,
                                           const policy::AgencyId& holder, std::uint64_t alerts) {
  return GuardedStep(connection_, "count for the deployment's holder", [&]() -> Status {
    COMITY_ASSIGN_OR_RETURN(const auto more, ToStored(alerts));
    const std::uint64_t changed =
        Query(
            connection_,
            "UPDATE deployment_holder SET alerts = alerts + ? WHERE deployment = ? AND holder = ?",
            more, id.text(), holder.text())
            .Run();
    if (changed == 0) return NoDeployment(id);
    return {};
  });
}

Result<DeploymentRecord> SqlDeploymentStore::Get(const policy::DeploymentId& id) const {
  return GuardedStep(connection_, "read the deployment", [&]() -> Result<DeploymentRecord> {
    COMITY_RETURN_IF_ERROR(CheckBound(connection_, BoundTable::kDeployment));
    Query row(connection_,
              "SELECT id, state, created_at, starts_at, ends_at, created_by, approved_by,"
              " definition, activated_at, ended_at, deletion_due_at, closed_at, faces, alerts,"
              " false_alerts FROM deployment WHERE id = ?",
              id.text());
    if (!row.Next()) return NoDeployment(id);
    return ReadDeployment(row);
  });
}

Result<std::vector<DeploymentHolderRecord>> SqlDeploymentStore::Holders(
    const policy::DeploymentId& id) const {
  using Holders = std::vector<DeploymentHolderRecord>;
  return GuardedStep(connection_, "read the deployment's holders", [&]() -> Result<Holders> {
    Holders holders;
    Query row(connection_,
              "SELECT deployment, holder, state, reason, checked_at, validated_at, entries, alerts,"
              " false_alerts FROM deployment_holder WHERE deployment = ? ORDER BY holder",
              id.text());
    while (row.Next()) {
      COMITY_ASSIGN_OR_RETURN(auto holder, ReadHolder(row));
      holders.push_back(std::move(holder));
    }
    return holders;
  });
}

Result<std::vector<DeploymentRecord>> SqlDeploymentStore::InState(
    std::initializer_list<DeploymentState> states) const {
  using Deployments = std::vector<DeploymentRecord>;
  return GuardedStep(connection_, "read the deployments", [&]() -> Result<Deployments> {
    COMITY_RETURN_IF_ERROR(CheckBound(connection_, BoundTable::kDeployment));
    std::array<std::int64_t, 4> wanted{};  // 0 is no state
    COMITY_CHECK(states.size() <= wanted.size());
    std::ranges::transform(states, wanted.begin(), Number<DeploymentState>);
    Query row(connection_,
              "SELECT id, state, created_at, starts_at, ends_at, created_by, approved_by,"
              " definition, activated_at, ended_at, deletion_due_at, closed_at, faces, alerts,"
              " false_alerts FROM deployment WHERE state IN (?, ?, ?, ?)"
              " ORDER BY position",
              wanted[0], wanted[1], wanted[2], wanted[3]);
    return ReadDeployments(row);
  });
}

Result<std::vector<DeploymentRecord>> SqlDeploymentStore::Newest(std::uint32_t limit) const {
  using Deployments = std::vector<DeploymentRecord>;
  return GuardedStep(connection_, "read the deployments", [&]() -> Result<Deployments> {
    COMITY_RETURN_IF_ERROR(CheckBound(connection_, BoundTable::kDeployment));
    Query row(connection_,
              "SELECT id, state, created_at, starts_at, ends_at, created_by, approved_by,"
              " definition, activated_at, ended_at, deletion_due_at, closed_at, faces, alerts,"
              " false_alerts FROM deployment ORDER BY position DESC LIMIT ?",
              limit);
    return ReadDeployments(row);
  });
}

}  // namespace comity::store
