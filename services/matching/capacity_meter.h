// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "crypto/base/result.h"
#include "policy/model/ids.h"
#include "services/audit/journal.h"
#include "services/matching/capacity_record.h"
#include "services/runtime/clock.h"
#include "services/store/store.h"

namespace comity::matching {

// Counts probes against the daily capacity of a permission: of the requester as a whole, of one
// officer, of one case. Capacity is reserved in the store, in blocks, before any of it is used: a
// crash loses what was reserved and not used, so that the count can only be too high and a limit is
// never exceeded. Each block is an entry of the log, and a counter that the database has lower than
// the log is not used (CapacityRecord).
//
// Threads: thread-safe.
class CapacityMeter {
 public:
  using Key = store::CapacityStore::Key;
  static constexpr std::uint64_t kBlock = 64;  // one durable write for so many probes
  // Counters of one requester with a block begun: officers and cases are names that it makes up,
  // and each costs a durable write. A person who searches one face at a time begins none
  // (BlockFor).
  static constexpr std::size_t kMaxSubjects = 4096;

  // One counter that a probe is taken from.
  struct Demand {
    Key key;
    std::uint64_t limit = 0;       // a day
    std::uint64_t block = kBlock;  // reserved at a time; 1: a crash loses nothing
  };

  // What a meter works on; all must outlive it, and `journal` writes to `store`.
  struct Ports {
    policy::AgencyId own_agency;
    const store::Store& store;
    audit::Journal& journal;
    const runtime::Clock& clock;
    std::size_t max_subjects = kMaxSubjects;
  };
  explicit CapacityMeter(Ports ports) : ports_(std::move(ports)) {}

  // What the log says was reserved today. To be called before the first use, once the log is
  // verified. What is wrong is said by fault() and TakeFaults().
  // Errors: those of CapacityRecord::Recall and Look
  Status Recall(const SecretBytes& kek, const std::stop_token& stop = {});
  // Looks whether the counters of requesters are as the log says, about every ten seconds.
  Status Look() const { return record_.Look(ports_.store, /*with_subjects=*/false); }
  // See CapacityRecord.
  std::string fault() const { return record_.fault(); }
  std::string TakeFaults() { return record_.TakeFaults(); }

  // What counts as used up by now; absent when it cannot be read, which a decision must treat as a
  // denial: also a counter that is lower than the log says. Asking leaves no trace: officers and
  // cases are names that a partner makes up.
  std::optional<std::uint64_t> Used(const Key& key) const;
  // Takes one probe out of `limit` a day; false when nothing is left. Durable on return.
  // Errors: those of the store; kCorrupt  the counter is not as the log says. Nothing is taken then
  Result<bool> Take(const Key& key, std::uint64_t limit);
  // Takes one from each counter or from none: the place of the first that is used up, if one is. A
  // counter that is one too many of its requester's officers and cases of the day is used up.
  // In: demands  no two of one key
  Result<std::optional<std::size_t>> TakeEach(std::span<const Demand> demands);

 private:
  struct Counter {
    std::mutex mutex;
    std::optional<std::uint64_t> reserved;  // in the store, as far as known; absent: not read yet
    std::uint64_t unused = 0;               // of this process's own block
    std::uint64_t used() const { return *reserved - unused; }
  };
  struct Wanted {
    const Demand* demand = nullptr;
    std::size_t place = 0;
    std::shared_ptr<Counter> counter;
  };
  using Counters = std::map<Key, std::shared_ptr<Counter>>;

  // The counter, made if there is room for it; null if there is not.
  std::shared_ptr<Counter> Obtain(const Key& key);
  std::shared_ptr<Counter> Find(const Key& key) const;
  static void ForgetIdle(Counters& counters);
  Result<std::uint64_t> Reserved(const Key& key) const;
  Status Load(const Key& key, Counter& counter) const;
  Result<std::optional<std::size_t>> TakeLocked(std::span<const Wanted> wanted);
  Status ReserveBlocks(std::span<const Wanted> wanted);

  const Ports ports_;
  CapacityRecord record_;
  mutable std::mutex mutex_;                       // guards the members below
  std::map<policy::AgencyId, Counters> counters_;  // by requester
  std::string day_;                                // the latest of a counter
};

}  // namespace comity::matching
