// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "services/store/deployment_store.h"
#include "services/store/sql/connection.h"

namespace comity::store {

// Threads: thread-compatible, like the connection.
class SqlDeploymentStore final : public DeploymentStore {
 public:
  explicit SqlDeploymentStore(Connection& connection) : connection_(connection) {}
  Status Add(const DeploymentRecord& deployment) override;
  Status Change(const DeploymentRecord& deployment, DeploymentState from) override;
  Status AddCounts(const policy::DeploymentId& id, std::uint64_t faces,
                   std::uint64_t alerts) override;
  Result<DeploymentRecord> AddFalseAlert(const policy::DeploymentId& id,
                                         const policy::AgencyId& holder) override;
  Status PutHolder(const DeploymentHolderRecord& holder) override;
  Status AddHolderAlerts(const policy::DeploymentId& id, const policy::AgencyId& holder,
                         std::uint64_t alerts) override;
  Result<DeploymentRecord> Get(const policy::DeploymentId& id) const override;
  Result<std::vector<DeploymentHolderRecord>> Holders(
      const policy::DeploymentId& id) const override;
  Result<std::vector<DeploymentRecord>> InState(
      std::initializer_list<DeploymentState> states) const override;
  Result<std::vector<DeploymentRecord>> Newest(std::uint32_t limit) const override;

 private:
  Connection& connection_;
};

}  // namespace comity::store
