// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <utility>

#include "policy/model/ids.h"

namespace comity::matching {

// What a deployment's streams counted and the store does not hold yet.
//
// Threads: thread-safe.
class DeploymentTally {
 public:
  struct Counts {
    std::uint64_t faces = 0;
    std::uint64_t alerts = 0;
    std::map<policy::AgencyId, std::uint64_t> alerts_by_holder;
    bool empty() const { return faces == 0 && alerts == 0; }
  };

  void Face() {
    const std::lock_guard lock(mutex_);
    ++counts_.faces;
  }
  void Alert(const policy::AgencyId& holder) {
    const std::lock_guard lock(mutex_);
    ++counts_.alerts;
    ++counts_.alerts_by_holder[holder];
  }
  Counts Peek() const {
    const std::lock_guard lock(mutex_);
    return counts_;
  }
  // Takes the counts out, to store them.
  Counts Take() {
    const std::lock_guard lock(mutex_);
    return std::exchange(counts_, {});
  }
  // Puts back what could not be stored.
  void Return(const Counts& counts) {
    const std::lock_guard lock(mutex_);
    counts_.faces += counts.faces;
    counts_.alerts += counts.alerts;
    for (const auto& [holder, alerts] : counts.alerts_by_holder) {
      counts_.alerts_by_holder[holder] += alerts;
    }
  }

 private:
  mutable std::mutex mutex_;
  Counts counts_;
};

}  // namespace comity::matching
