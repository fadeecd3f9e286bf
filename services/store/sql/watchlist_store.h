// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "services/store/sql/connection.h"
#include "services/store/store.h"

namespace comity::store {

// Threads: thread-compatible, like the connection that it borrows.
class SqlWatchlistStore final : public WatchlistStore {
 public:
  explicit SqlWatchlistStore(Connection& connection) : connection_(connection) {}
  Status AddList(const WatchlistRecord& list) override;
  Status ChangeList(const WatchlistRecord& list) override;
  Result<std::vector<WatchlistRecord>> Lists() const override;
  Result<WatchlistRecord> List(const policy::WatchlistId& reference) const override;
  Status AddEntries(const policy::WatchlistId& list, std::uint64_t batch,
                    std::span<const EntryRecord> entries) override;
  Result<std::uint64_t> RemoveEntries(const policy::WatchlistId& list, std::uint64_t batch,
                                      std::uint32_t limit) override;
  Status ChangeEntry(const policy::WatchlistId& list, const EntryRecord& entry) override;
  Result<std::uint64_t> EraseEntries(const policy::WatchlistId& list, std::uint32_t limit) override;
  Result<EntryRecord> Entry(const policy::WatchlistId& list,
                            std::string_view reference) const override;
  Status VisitEntries(const policy::WatchlistId& list,
                      const std::function<Status(EntryRecord)>& visit) const override;
  Result<std::vector<EntryRecord>> EntryPage(const policy::WatchlistId& list, std::uint64_t after,
                                             std::uint32_t limit) const override;
  Result<std::uint64_t> CountEntries(const policy::WatchlistId& list) const override;
  Result<std::vector<policy::WatchlistId>> ListsOf(std::string_view reference) const override;

 private:
  bool Supersedes(const policy::WatchlistId& list, const EntryRecord& entry) const;
  void InsertEntry(const policy::WatchlistId& list, std::uint64_t batch, const EntryRecord& entry);
  Connection& connection_;
};

}  // namespace comity::store
