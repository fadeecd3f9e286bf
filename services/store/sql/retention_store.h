// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "services/store/retention_store.h"
#include "services/store/sql/connection.h"

namespace comity::store {

// Threads: thread-compatible, like the connection.
class SqlRetentionStore final : public RetentionStore {
 public:
  explicit SqlRetentionStore(Connection& connection) : connection_(connection) {}
  Result<std::vector<RetainedRecord>> Due(policy::RetentionClass record_class,
                                          policy::Instant until,
                                          std::uint32_t limit) const override;
  Result<RetainedCount> Count(policy::RetentionClass record_class) const override;
  Result<bool> Erase(policy::RetentionClass record_class, const ErasedRecord& record,
                     policy::Instant at) override;
  Status VisitKept(policy::RetentionClass record_class,
                   const std::function<Status(std::string_view)>& visit) const override;
  Result<bool> IsHeld(policy::RetentionClass record_class,
                      std::string_view reference) const override;
  Result<std::uint64_t> AddHold(const HoldRecord& hold) override;
  Status ChangeHold(const HoldRecord& hold) override;
  Result<std::vector<HoldRecord>> Holds() const override;
  Status AddErasure(const ErasureRecord& erasure) override;
  Result<std::vector<ErasureRecord>> Erasures(policy::Instant from, policy::Instant to,
                                              std::uint32_t limit) const override;
  Result<LedgerHead> Head() const override;
  Status SetHead(const LedgerHead& head) override;
  Result<RestorationRecord> Restoration() const override;
  Status PutRestoration(const RestorationRecord& restoration) override;
  Result<std::vector<policy::AgencyId>> Reached() const override;
  Status NoteReached(const policy::AgencyId& peer) override;

 private:
  Connection& connection_;
};

}  // namespace comity::store
