// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "services/store/approval_store.h"
#include "services/store/sql/connection.h"

namespace comity::store {

// Threads: thread-compatible, like the connection.
class SqlApprovalStore final : public ApprovalStore {
 public:
  explicit SqlApprovalStore(Connection& connection) : connection_(connection) {}
  Status Add(const ApprovalRecord& approval) override;
  Status Change(const ApprovalRecord& approval, ApprovalState from) override;
  Result<ApprovalRecord> Get(std::string_view id) const override;
  Result<std::vector<ApprovalRecord>> List(bool open, std::uint32_t limit) const override;
  Result<std::uint64_t> CountPending() const override;
  Result<std::uint64_t> CountPendingOf(const policy::PersonId& proposer) const override;
  Result<std::vector<ApprovalRecord>> PendingOf(const policy::PersonId& proposer) const override;
  Result<std::vector<ApprovalRecord>> Due(policy::Instant now, std::uint32_t limit) const override;

 private:
  Connection& connection_;
};

}  // namespace comity::store
