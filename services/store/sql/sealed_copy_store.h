// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "services/store/sealed_copy_store.h"
#include "services/store/sql/connection.h"

namespace comity::store {

// Threads: thread-compatible, like the connection.
class SqlSealedCopyStore final : public SealedCopyStore {
 public:
  explicit SqlSealedCopyStore(Connection& connection) : connection_(connection) {}
  Status Put(const SealedCopyRecord& copy) override;
  Status Remove(const Digest& header) override;
  Result<std::vector<SealedCopyRecord>> All() const override;

 private:
  Connection& connection_;
};

}  // namespace comity::store
