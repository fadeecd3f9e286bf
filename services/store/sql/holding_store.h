// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "services/store/holding_store.h"
#include "services/store/sql/connection.h"

namespace comity::store {

// Threads: thread-compatible, like the connection.
class SqlHoldingStore final : public HoldingStore {
 public:
  explicit SqlHoldingStore(Connection& connection) : connection_(connection) {}
  Status Told(const HoldingRecord& holding, std::string_view answer) override;
  Result<std::vector<HoldingRecord>> OfReference(std::string_view reference) const override;
  Result<std::vector<HoldingRecord>> OfEntry(const policy::WatchlistId& list,
                                             std::string_view reference) const override;
  Result<std::vector<std::string>> Answers(const policy::WatchlistId& list,
                                           std::string_view reference,
                                           const policy::AgencyId& partner) const override;
  Status NoteChange(const policy::WatchlistId& list, std::string_view reference,
                    const policy::AgencyId& partner, std::string_view change,
                    std::uint64_t message) override;
  Result<std::vector<std::string>> ToldOf(const policy::WatchlistId& list) const override;
  Status PutChange(const EntryChangeRecord& change) override;
  Result<std::optional<EntryChangeRecord>> LastChange(const policy::WatchlistId& list,
                                                      std::string_view reference) const override;
  Result<std::vector<EntryChangeRecord>> Untold() const override;
  Result<std::uint64_t> ForgetUnder(const policy::AgreementId& agreement, std::uint32_t version,
                                    const policy::AgencyId& partner) override;
  Status NoteWithdrawn(const PartnerWithdrawal& withdrawal) override;
  Result<std::optional<policy::Instant>> WithdrawnAt(const policy::AgencyId& holder,
                                                     std::string_view subject) const override;
  Status ForgetWithdrawn(policy::Instant before) override;
  Status AddDeletion(const DeletionRecord& deletion) override;
  Status FinishDeletion(const DeletionRecord& deletion) override;
  Result<std::vector<DeletionRecord>> Deletions() const override;

 private:
  Connection& connection_;
};

}  // namespace comity::store
