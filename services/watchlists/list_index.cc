// SPDX-License-Identifier: Apache-2.0
#include "services/watchlists/list_index.h"

#include "services/watchlists/register.h"

namespace comity::watchlists {

void ListIndex::Add(const store::EntryRecord& entry) {
  entries_.emplace(entry.reference,
                   Entry{entry.category, entry.state == store::EntryState::kWithdrawn,
                         entry.valid_from, entry.expires_at});
}

void ListIndex::Withdraw(std::string_view reference) {
  const auto found = entries_.find(reference);
  if (found != entries_.end()) found->second.withdrawn = true;
}

bool ListIndex::Matches(std::string_view reference, policy::Instant now) const {
  const auto found = entries_.find(reference);
  return found != entries_.end() && !found->second.withdrawn && found->second.valid_from <= now &&
         now < found->second.expires_at;
}

ListStatus ListIndex::CountAt(policy::Instant now) const {
  ListStatus status;
  status.list = record_.reference;
  status.engine = record_.engine;
  status.imported_at = record_.imported_at;
  for (const auto& [reference, entry] : entries_) {
    if (entry.withdrawn) {
      ++status.withdrawn;
    } else if (entry.expires_at <= now) {
      ++status.expired;
    } else if (now < entry.valid_from) {
      ++status.not_yet_valid;
    } else {
      ++status.active;
      ++status.active_by_category[entry.category.text()];
    }
  }
  return status;
}

}  // namespace comity::watchlists
