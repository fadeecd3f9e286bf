// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "services/store/agreement_life_store.h"
#include "services/store/sql/connection.h"

namespace comity::store {

// Threads: thread-compatible, like the connection.
class SqlAgreementLifeStore final : public AgreementLifeStore {
 public:
  explicit SqlAgreementLifeStore(Connection& connection) : connection_(connection) {}
  Status Mark(const AgreementMark& mark) override;
  Result<std::vector<AgreementMark>> Marks() const override;
  Status PutPeerStatus(const PeerStatusRecord& status) override;
  Result<std::vector<PeerStatusRecord>> PeerStatuses() const override;

 private:
  Connection& connection_;
};

}  // namespace comity::store
