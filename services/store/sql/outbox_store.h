// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "services/store/outbox_store.h"
#include "services/store/sql/connection.h"

namespace comity::store {

// Threads: thread-compatible, like the connection.
class SqlOutboxStore final : public OutboxStore {
 public:
  explicit SqlOutboxStore(Connection& connection) : connection_(connection) {}
  Result<std::uint64_t> Add(const OutboxRecord& message) override;
  Result<OutboxRecord> Get(std::uint64_t number) const override;
  Result<std::vector<OutboxRecord>> Waiting(const policy::AgencyId& peer, std::uint32_t limit,
                                            std::uint64_t after,
                                            const std::vector<std::string>& without) const override;
  Result<std::optional<policy::Instant>> WaitingSince(const policy::AgencyId& peer,
                                                      std::string_view kind) const override;
  Result<std::vector<OutboxRecord>> AllWaiting() const override;
  Result<std::vector<OutboxRecord>> OfKind(std::string_view kind,
                                           std::uint32_t limit) const override;
  Status Acknowledge(std::uint64_t number, std::string_view receipt, policy::Instant at) override;
  Status NoteRefused(std::uint64_t number, std::string_view code) override;
  Status NoteTold(std::uint64_t number, std::uint32_t told) override;
  Result<std::uint64_t> Discard(const policy::AgencyId& peer) override;
  Result<std::uint64_t> EraseContents(policy::Instant acknowledged_before) override;
  Status Receive(const InboxRecord& message) override;
  Result<std::optional<InboxRecord>> Received(const policy::AgencyId& sender,
                                              std::string_view id) const override;
  Result<std::optional<InboxUse>> Use(const policy::AgencyId& sender,
                                      std::string_view kind) const override;
  Status PutUse(const policy::AgencyId& sender, std::string_view kind,
                const InboxUse& use) override;

 private:
  Connection& connection_;
};

}  // namespace comity::store
