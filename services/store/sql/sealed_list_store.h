// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "services/store/sealed_list_store.h"
#include "services/store/sql/connection.h"

namespace comity::store {

// Threads: thread-compatible, like the connection.
class SqlSealedListStore final : public SealedListStore {
 public:
  explicit SqlSealedListStore(Connection& connection) : connection_(connection) {}
  Status Add(const SealedListRecord& list) override;
  Status ChangeState(const Digest& header, std::uint64_t sequence, ByteView state) override;
  Status Supersede(const Digest& header) override;
  Status End(const Digest& header, std::string_view reason, policy::Instant at) override;
  Status NoteHeld(const Digest& header, std::uint64_t sequence, policy::Instant at) override;
  Status NoteErased(const Digest& header, policy::Instant at) override;
  Result<std::uint64_t> Forget(policy::Instant ended_before) override;
  Result<SealedListRecord> Get(const Digest& header) const override;
  Result<std::vector<SealedListRecord>> All() const override;
  Status PutBlock(const Digest& header, const SealedBlockRecord& block) override;
  Status RemoveBlock(const Digest& header, std::uint32_t number) override;
  Result<std::vector<SealedBlockRecord>> Blocks(const Digest& header) const override;
  Result<std::vector<SealedBlockRelease>> Released(const Digest& header) const override;
  Status SetReleased(const Digest& header, std::uint32_t number, std::uint32_t released) override;

 private:
  // Errors: kNotFound
  Result<SealedListState> StateOf(const Digest& header) const;
  Connection& connection_;
};

}  // namespace comity::store
