// SPDX-License-Identifier: Apache-2.0
#include "services/watchlists/list_index.h"

#include <algorithm>

namespace comity::watchlists {

policy::Instant MatchesUntil(const store::EntryRecord& entry, const ListDefinition& definition) {
  return std::min({entry.expires_at, entry.review_by,
                   policy::Instant(entry.as_of + definition.information_max_age)});
}

bool ListIndex::Searchable(policy::Instant now) const {
  return record_.state == store::ListState::kApproved && definition_->starts_at <= now &&
         now < definition_->ends_at;
}

ListIndex::Entry ListIndex::Summary(const store::EntryRecord& entry) const {
  return {entry.category, entry.state,      entry.restriction, entry.clearance,
          entry.under_18, entry.valid_from, entry.expires_at,  MatchesUntil(entry, *definition_)};
}

void ListIndex::Add(const store::EntryRecord& entry) {
  entries_.emplace(entry.reference, Summary(entry));
}

void ListIndex::Replace(const store::EntryRecord& entry) {
  entries_.insert_or_assign(entry.reference, Summary(entry));
}

bool ListIndex::Matches(std::string_view reference, policy::Instant now) const {
  const auto found = entries_.find(reference);
  if (found == entries_.end() || !Searchable(now)) return false;
  const Entry& entry = found->second;
  return entry.Free() && entry.valid_from <= now && now < entry.matches_until;
}

void ListIndex::Count(const Entry& entry, policy::Instant now, ListCounts& counts) {
  ++counts.entries;
  if (entry.state == store::EntryState::kWithdrawn) {
    ++counts.withdrawn;
    return;
  }
  if (entry.state == store::EntryState::kExpired || entry.expires_at <= now) {
    ++counts.expired;
    return;
  }
  if (entry.under_18) ++counts.under_18;
  if (entry.restriction == store::EntryRestriction::kContested) ++counts.contested;
  const bool stale = entry.matches_until <= now;
  if (!stale) {
    ++counts.prospective;
    ++counts.prospective_by_category[entry.category.text()];
  }
  if (entry.restriction != store::EntryRestriction::kNone) {
    ++counts.restricted;
  } else if (entry.clearance == store::EntryClearance::kPending) {
    ++counts.awaiting_approval;
  } else if (stale) {
    ++counts.stale;
    ++counts.stale_by_category[entry.category.text()];
  } else if (now < entry.valid_from) {
    ++counts.not_yet_valid;
  } else {
    ++counts.active;
    ++counts.active_by_category[entry.category.text()];
  }
}

ListCounts ListIndex::CountAt(policy::Instant now) const {
  ListCounts counts;
  for (const auto& [reference, entry] : entries_) Count(entry, now, counts);
  return counts;
}

std::vector<std::string> ListIndex::Expired(policy::Instant now, std::size_t limit) const {
  std::vector<std::string> references;
  for (const auto& [reference, entry] : entries_) {
    if (references.size() == limit) break;
    if (entry.state == store::EntryState::kActive && entry.expires_at <= now) {
      references.push_back(reference);
    }
  }
  return references;
}

}  // namespace comity::watchlists
