// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "services/store/hit_store.h"
#include "services/store/sql/connection.h"

namespace comity::store {

// Threads: thread-compatible, like the connection.
class SqlHitStore final : public HitStore {
 public:
  explicit SqlHitStore(Connection& connection) : connection_(connection) {}
  Status AddHit(const HitRecord& hit) override;
  Status AddProbes(const ProbeCountRecord& count) override;
  Result<std::vector<HitRecord>> Hits(std::string_view watch) const override;
  Result<std::vector<ProbeCountRecord>> Probes(std::string_view watch) const override;
  Status Restart(std::string_view prefix) override;
  Status Forget(std::string_view watch, policy::Instant before) override;

 private:
  Connection& connection_;
};

}  // namespace comity::store
