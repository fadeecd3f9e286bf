// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "policy/model/ids.h"
#include "policy/model/instant.h"
#include "services/store/records.h"
#include "services/watchlists/entry_fields.h"

namespace comity::watchlists {

struct ListStatus;

// What is known of one list in memory: all but templates and personal fields.
//
// Threads: thread-compatible.
class ListIndex {
 public:
  explicit ListIndex(store::WatchlistRecord record) : record_(std::move(record)) {}

  const store::WatchlistRecord& record() const { return record_; }
  void Add(const store::EntryRecord& entry);
  // Does nothing if there is no such entry.
  void Withdraw(std::string_view reference);
  bool Matches(std::string_view reference, policy::Instant now) const;
  ListStatus CountAt(policy::Instant now) const;

 private:
  struct Entry {
    policy::ListCategory category;
    bool withdrawn = false;
    policy::Instant valid_from{};
    policy::Instant expires_at{};
  };
  struct TextHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const {
      return std::hash<std::string_view>()(text);
    }
  };

  store::WatchlistRecord record_;
  std::unordered_map<std::string, Entry, TextHash, std::equal_to<>> entries_;
};

}  // namespace comity::watchlists
