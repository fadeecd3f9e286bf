// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "services/store/peer_store.h"
#include "services/store/sql/connection.h"

namespace comity::store {

// Threads: thread-compatible, like the connection.
class SqlPeerStore final : public PeerStore {
 public:
  explicit SqlPeerStore(Connection& connection) : connection_(connection) {}
  Status Put(const PeerRecord& peer) override;
  Result<std::vector<PeerRecord>> All() const override;
  Status PutContact(const PeerContactRecord& contact) override;
  Result<std::vector<PeerContactRecord>> Contacts() const override;

 private:
  Connection& connection_;
};

}  // namespace comity::store
