// SPDX-License-Identifier: Apache-2.0
#include "services/store/sqlite/aggregates.h"
#include "services/store/sqlite/guarded_call.h"
#include "services/store/sqlite/row.h"

namespace comity::store {
namespace {

std::int64_t Number(DeploymentState state) {
  return static_cast<std::int64_t>(state);
}

Result<DeploymentRecord> ReadDeployment(const Query& row) {
  DeploymentRecord deployment;
  COMITY_ASSIGN_OR_RETURN(deployment.id, ReadId<policy::DeploymentId>(row, 0));
  COMITY_ASSIGN_OR_RETURN(
      deployment.state,
      ReadEnum<DeploymentState>(row, 1, {DeploymentState::kActive, DeploymentState::kStopped}));
  deployment.created_at = row.Time(2);
  deployment.starts_at = row.Time(3);
  deployment.ends_at = row.Time(4);
  deployment.created_by = row.Text(5);
  deployment.definition = row.Text(6);
  return deployment;
}

}  // namespace

Status SqliteDeploymentStore::Add(const DeploymentRecord& deployment) {
  return GuardedStep(connection_, "store the deployment", [&]() -> Status {
    Query(
        connection_,
        "INSERT INTO deployment (id, state, created_at, starts_at, ends_at, created_by, definition)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        deployment.id.text(), Number(deployment.state), deployment.created_at, deployment.starts_at,
        deployment.ends_at, deployment.created_by, deployment.definition)
        .Run();
    return {};
  });
}

Status SqliteDeploymentStore::SetState(const policy::DeploymentId& id, DeploymentState state) {
  return GuardedStep(connection_, "change the deployment", [&]() -> Status {
    const std::uint64_t changed =
        Query(connection_, "UPDATE deployment SET state = ? WHERE id = ?", Number(state), id.text())
            .Run();
    if (changed == 0) return Fail(ErrorCode::kNotFound, "there is no deployment " + id.text());
    return {};
  });
}

Result<std::vector<DeploymentRecord>> SqliteDeploymentStore::All() const {
  using Deployments = std::vector<DeploymentRecord>;
  return GuardedStep(connection_, "read the deployments", [&]() -> Result<Deployments> {
    Deployments deployments;
    Query row(
        connection_,
        "SELECT id, state, created_at, starts_at, ends_at, created_by, definition FROM deployment"
        " ORDER BY position");
    while (row.Next()) {
      COMITY_ASSIGN_OR_RETURN(auto deployment, ReadDeployment(row));
      deployments.push_back(std::move(deployment));
    }
    return deployments;
  });
}

}  // namespace comity::store
