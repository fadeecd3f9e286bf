// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "policy/model/ids.h"
#include "policy/model/instant.h"
#include "services/store/records.h"
#include "services/watchlists/register.h"

namespace comity::watchlists {

// From when on an entry does not match any more without somebody looking at it again: it expires,
// its review is overdue, or what is known of the person is too old (WL-5).
policy::Instant MatchesUntil(const store::EntryRecord& entry, const ListDefinition& definition);

// What is known of one list in memory: all but templates and personal fields.
//
// Threads: thread-compatible.
class ListIndex {
 public:
  ListIndex(store::WatchlistRecord record, std::shared_ptr<const ListDefinition> definition)
      : record_(std::move(record)), definition_(std::move(definition)) {}

  const store::WatchlistRecord& record() const { return record_; }
  const std::shared_ptr<const ListDefinition>& definition() const { return definition_; }
  void SetRecord(store::WatchlistRecord record) { record_ = std::move(record); }
  // Approved, and within its time.
  bool Searchable(policy::Instant now) const;

  // Does nothing if the entry is known: what is known is never older.
  void Add(const store::EntryRecord& entry);
  void Replace(const store::EntryRecord& entry);
  void Clear() { entries_.clear(); }
  void Reserve(std::size_t entries) { entries_.reserve(entries); }
  std::size_t size() const { return entries_.size(); }
  bool Has(std::string_view reference) const { return entries_.contains(reference); }
  bool Matches(std::string_view reference, policy::Instant now) const;
  ListCounts CountAt(policy::Instant now) const;
  // Entries that have expired at `now` and are not erased, at most `limit`.
  std::vector<std::string> Expired(policy::Instant now, std::size_t limit) const;

 private:
  struct Entry {
    policy::ListCategory category;
    store::EntryState state{};
    store::EntryRestriction restriction{};
    store::EntryClearance clearance{};
    bool under_18 = false;
    policy::Instant valid_from{};
    policy::Instant expires_at{};
    policy::Instant matches_until{};

    bool Free() const {
      return state == store::EntryState::kActive && restriction == store::EntryRestriction::kNone &&
             clearance != store::EntryClearance::kPending;
    }
  };
  struct TextHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const {
      return std::hash<std::string_view>()(text);
    }
  };
  Entry Summary(const store::EntryRecord& entry) const;
  static void Count(const Entry& entry, policy::Instant now, ListCounts& counts);

  store::WatchlistRecord record_;
  std::shared_ptr<const ListDefinition> definition_;
  std::unordered_map<std::string, Entry, TextHash, std::equal_to<>> entries_;
};

}  // namespace comity::watchlists
