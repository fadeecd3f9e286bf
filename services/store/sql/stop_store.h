// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "services/store/sql/connection.h"
#include "services/store/stop_store.h"

namespace comity::store {

// Threads: thread-compatible, like the connection.
class SqlStopStore final : public StopStore {
 public:
  explicit SqlStopStore(Connection& connection) : connection_(connection) {}
  Status Add(const StopRecord& stop) override;
  Status Lift(std::string_view id, const policy::PersonId& by, std::string_view reason,
              policy::Instant at) override;
  Result<StopRecord> Get(std::string_view id) const override;
  Result<std::vector<StopRecord>> Standing() const override;
  Result<std::vector<StopRecord>> Newest(std::uint32_t limit) const override;

 private:
  Connection& connection_;
};

}  // namespace comity::store
