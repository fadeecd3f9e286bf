// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>

#include "crypto/base/result.h"
#include "crypto/base/secret.h"
#include "policy/model/instant.h"
#include "services/runtime/guarded.h"
#include "services/store/store.h"

namespace comity::matching {

// How much of each counter of capacity was reserved on the latest day, as known without the
// database's counters: from the audit log, whose root is signed, and from what this process
// reserved since. Nobody lowers those by writing into the database; a counter that is below was
// changed, and nothing is taken from it any more.
//
// Threads: thread-safe.
class CapacityRecord {
 public:
  using Key = store::CapacityStore::Key;
  // Counters of officers and cases that are remembered, the first ones of a day, after a start the
  // last ones before it; those of requesters all are. Officers and cases are names that a requester
  // makes up.
  static constexpr std::size_t kMaxSubjects = 65536;

  explicit CapacityRecord(std::size_t max_subjects = kMaxSubjects) : max_subjects_(max_subjects) {}

  // Reads the entries `capacity-reserved` of the day of `now`, newest first. A payload that does
  // not open is said by fault(), and nothing is taken from any counter of that day.
  // Errors: those of the store; kCorrupt  an entry has no form of an entry
  Status Recall(const store::Store& store, const SecretBytes& kek, policy::Instant now);
  // What this process reserved durably. Days before the latest are forgotten.
  void Note(const Key& key, std::uint64_t reserved);

  // To be asked before the counter is read: what is noted meanwhile is no fault of what was read.
  std::uint64_t Known(const Key& key) const;
  // Errors: kCorrupt  the database says less than was known, or the log of that day does not open
  Status Check(const Key& key, std::uint64_t known, std::uint64_t stored) const;
  // Checks all counters that are remembered, or those of requesters only.
  // Errors: those of the store. What is found is said by fault()
  Status Look(const store::Store& store, bool with_subjects) const;

  // The first thing that was found wrong, in words without a name of a person; empty: nothing.
  std::string fault() const;

 private:
  struct State {
    std::string day;  // of all counters
    std::map<Key, std::uint64_t> reserved;
    std::size_t subjects = 0;
    std::string unreadable;  // the day whose log does not open; empty: none
    std::string fault;
  };
  void Add(State& state, const Key& key, std::uint64_t reserved) const;

  const std::size_t max_subjects_;
  mutable runtime::Guarded<State> state_;
};

}  // namespace comity::matching
