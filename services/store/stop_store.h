// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/base/result.h"
#include "policy/model/ids.h"
#include "policy/model/instant.h"

namespace comity::store {

enum class StopScope { kDeployment = 1, kWatchlist = 2, kPartner = 3, kAgreement = 4 };

struct StopRecord {
  std::string id;  // stop-<32 characters 0-9 a-f>
  StopScope scope{};
  std::string reference;  // of a deployment, list, partner or agreement, 1..64
  std::string set_by;     // person id, or `alarm`
  std::string reason;     // 1..1000
  std::string order;      // reference of a regulator's order, 0..128
  policy::Instant set_at{};
  std::optional<policy::PersonId> lifted_by;  // absent: it stands
  std::string lift_reason;
  policy::Instant lifted_at{};
};

// What was stopped by people or by an alarm.
//
// Threads: see store.h.
class StopStore {
 public:
  virtual ~StopStore() = default;
  // Errors: kConflict  the id is taken
  virtual Status Add(const StopRecord& stop) = 0;
  // Errors: kNotFound; kConflict  lifted already
  virtual Status Lift(std::string_view id, const policy::PersonId& by, std::string_view reason,
                      policy::Instant at) = 0;
  // Errors: kNotFound
  virtual Result<StopRecord> Get(std::string_view id) const = 0;
  virtual Result<std::vector<StopRecord>> Standing() const = 0;  // oldest first
  // Newest first, at most `limit`; those that were lifted too.
  virtual Result<std::vector<StopRecord>> Newest(std::uint32_t limit) const = 0;
};

}  // namespace comity::store
