// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <map>
#include <optional>

#include "policy/model/ids.h"
#include "policy/model/instant.h"
#include "services/runtime/guarded.h"

namespace comity::oversight {

// Which partners are behind: they were told of a changed entry and have not acknowledged it. Until
// they have, they may not search, because they would go on trusting what is withdrawn. Kept by the
// couriers, asked for every probe.
//
// Threads: thread-safe.
class CatchUp {
 public:
  // So long a partner may take before it counts as cut off.
  static constexpr std::chrono::seconds kPatience{5};

  // The oldest change that `peer` has not acknowledged was stored at `since`; absent: none.
  void Set(const policy::AgencyId& peer, std::optional<policy::Instant> since) {
    behind_.With([&](auto& behind) {
      if (since) {
        behind.insert_or_assign(peer, *since);
      } else {
        behind.erase(peer);
      }
    });
  }
  bool IsBehind(const policy::AgencyId& peer, policy::Instant now) const {
    return behind_.With([&](const auto& behind) {
      const auto found = behind.find(peer);
      return found != behind.end() && now - found->second > kPatience;
    });
  }

 private:
  runtime::Guarded<std::map<policy::AgencyId, policy::Instant>> behind_;
};

}  // namespace comity::oversight
