// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "services/runtime/clock.h"
#include "services/runtime/guarded.h"

namespace comity::gateway {

// Gathers what repeats: the first of a key is due at once, its repeats as a count at most every ten
// seconds, so that a flood does not become a flood of lines. The counts add up: when there are more
// keys than kMaxKeys, all that is pending is due at once, and nothing is forgotten.
//
// Threads: thread-safe.
template <typename Value>
class Repeats {
 public:
  static constexpr std::chrono::seconds kQuietTime{10};
  static constexpr std::size_t kMaxKeys = 1024;

  struct Due {
    Value last;
    std::int64_t times = 0;
  };

  // What is to be written now: at most this one, unless there were too many keys.
  std::vector<Due> Add(const std::string& key, Value value, runtime::Instant now) {
    return entries_.With([&](Entries& entries) {
      std::vector<Due> due;
      if (entries.size() >= kMaxKeys && !entries.contains(key)) due = TakeAll(entries);
      Entry& entry = entries[key];
      entry.last = std::move(value);
      ++entry.since;
      if (IsQuiet(entry, now)) return due;
      entry.written_at = now;
      due.push_back({entry.last, std::exchange(entry.since, 0)});
      return due;
    });
  }

  // The counts that are not written and due. To be called about every ten seconds, so that the end
  // of a flood is counted too.
  std::vector<Due> TakeDue(runtime::Instant now) {
    return entries_.With([&](Entries& entries) {
      std::vector<Due> due;
      for (auto at = entries.begin(); at != entries.end();) {
        Entry& entry = at->second;
        if (IsQuiet(entry, now)) {
          ++at;
        } else if (entry.since == 0) {
          at = entries.erase(at);
        } else {
          entry.written_at = now;
          due.push_back({entry.last, std::exchange(entry.since, 0)});
          ++at;
        }
      }
      return due;
    });
  }

 private:
  struct Entry {
    Value last{};
    runtime::Instant written_at{};
    std::int64_t since = 0;
  };
  using Entries = std::map<std::string, Entry>;

  // A clock that was set back makes nothing wait.
  static bool IsQuiet(const Entry& entry, runtime::Instant now) {
    return now - entry.written_at < kQuietTime && now >= entry.written_at;
  }
  static std::vector<Due> TakeAll(Entries& entries) {
    std::vector<Due> due;
    for (auto& [key, entry] : entries) {
      if (entry.since > 0) due.push_back({std::move(entry.last), entry.since});
    }
    entries.clear();
    return due;
  }

  runtime::Guarded<Entries> entries_;
};

}  // namespace comity::gateway
