// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <stop_token>
#include <string>
#include <vector>

#include "crypto/base/result.h"
#include "crypto/base/secret.h"
#include "policy/model/instant.h"
#include "services/runtime/guarded.h"
#include "services/store/store.h"

namespace comity::matching {

// How much of each counter of capacity was reserved, as known without the database's counters: from
// the audit log, whose root is signed, and from what this process reserved since. Nobody lowers
// those by writing into the database; a counter that is below was changed, and nothing is taken
// from it any more. Kept are those of today, and those of later days that a clock which was ahead
// has left in the log: their day comes.
//
// Threads: thread-safe.
class CapacityRecord {
 public:
  using Key = store::CapacityStore::Key;
  // Counters of officers and cases that are remembered of today, the first ones, after a start the
  // last ones before it, and as many of later days together; those of requesters all are. Officers
  // and cases are names that a requester makes up.
  static constexpr std::size_t kMaxSubjects = 65536;

  explicit CapacityRecord(std::size_t max_subjects = kMaxSubjects) : max_subjects_(max_subjects) {}

  // Reads the entries `capacity-reserved` from the day of `now` on, newest first, in pieces between
  // which `stop` is heard. A payload that does not open is a fault, and nothing is taken from any
  // counter of the days that it may be of.
  // Errors: those of the store; kCorrupt  an entry has no form of an entry
  //         kUnavailable  `stop` was requested first
  Status Recall(const store::Store& store, const SecretBytes& kek, policy::Instant now,
                const std::stop_token& stop = {});
  // What this process reserved durably. Days before it are forgotten.
  void Note(const Key& key, std::uint64_t reserved);

  // To be asked before the counter is read: what is noted meanwhile is no fault of what was read.
  std::uint64_t Known(const Key& key) const;
  // Errors: kCorrupt  the database says less than was known, or the log of that day does not open
  Status Check(const Key& key, std::uint64_t known, std::uint64_t stored) const;
  // Checks all counters that are remembered, or those of requesters only.
  // Errors: those of the store. What is found is no error: it is a fault
  Status Look(const store::Store& store, bool with_subjects) const;

  // What was found wrong, in words without a name of a person: the first of it and how many others
  // there are; empty: nothing.
  std::string fault() const;
  // What was found since the last call, the same way; each counter once on its day, however often
  // it is changed.
  std::string TakeFaults();

 private:
  struct Counter {
    std::uint64_t reserved = 0;
    bool is_faulty = false;  // was found so, once
  };
  struct Faults {  // the first ones in words, and how many others there are
    std::vector<std::string> words;
    std::size_t others = 0;
    void Add(std::string fault);
    std::string Text() const;
  };
  struct State {
    std::string today;
    std::map<Key, Counter> counters;  // of today and later
    std::size_t subjects = 0;         // of `counters`, of today
    std::size_t later_subjects = 0;
    std::set<std::string> unreadable;  // days of which a reservation does not open
    Faults all;
    Faults untold;
  };
  void Add(State& state, const Key& key, std::uint64_t reserved) const;
  static void Begin(State& state, const std::string& day);
  static void AddFault(State& state, const std::string& fault);

  const std::size_t max_subjects_;
  mutable runtime::Guarded<State> state_;
};

}  // namespace comity::matching
