// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include "crypto/base/result.h"
#include "policy/model/ids.h"
#include "services/audit/journal.h"
#include "services/runtime/clock.h"
#include "services/store/store.h"

namespace comity::matching {

// Counts probes against the daily capacity of a permission. Capacity is reserved in the store, in
// blocks, before any of it is used: a crash loses what was reserved and not used, so that the count
// can only be too high and a limit is never exceeded. Each block is an entry of the log.
//
// Threads: thread-safe.
class CapacityMeter {
 public:
  using Key = store::CapacityStore::Key;
  static constexpr std::uint64_t kBlock = 64;  // one durable write for so many probes

  // What a meter works on; all must outlive it, and `journal` writes to `store`.
  struct Ports {
    policy::AgencyId own_agency;
    const store::Store& store;
    audit::Journal& journal;
    const runtime::Clock& clock;
  };
  explicit CapacityMeter(Ports ports) : ports_(std::move(ports)) {}

  // What counts as used up by now; absent when it cannot be read, which a decision must treat as a
  // denial.
  std::optional<std::uint64_t> Used(const Key& key);
  // Takes one probe out of `limit` a day; false when nothing is left. Durable on return.
  // Errors: those of the store; nothing is taken then
  Result<bool> Take(const Key& key, std::uint64_t limit);

 private:
  struct Counter {
    std::mutex mutex;
    std::optional<std::uint64_t> reserved;  // in the store, as far as known; absent: not read yet
    std::uint64_t unused = 0;               // of this process's own block
  };
  std::shared_ptr<Counter> Find(const Key& key);
  Status Load(const Key& key, Counter& counter);
  Status ReserveBlock(const Key& key, std::uint64_t limit, Counter& counter);

  const Ports ports_;
  std::mutex mutex_;  // guards counters_
  std::map<Key, std::shared_ptr<Counter>> counters_;
};

}  // namespace comity::matching
