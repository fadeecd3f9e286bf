// SPDX-License-Identifier: Apache-2.0
#include "services/matching/galleries.h"

#include <utility>

namespace comity::matching {

void Galleries::Put(const policy::WatchlistId& list, std::shared_ptr<const Gallery> gallery) {
  std::lock_guard change(change_mutex_);
  std::lock_guard lock(mutex_);
  lists_[list].swap(gallery);
}

Status Galleries::Withdraw(const policy::WatchlistId& list, std::string_view reference) {
  {
    std::lock_guard change(change_mutex_);
    std::shared_ptr<const Gallery> former;
    {
      std::lock_guard lock(mutex_);
      const auto found = lists_.find(list);
      if (found == lists_.end()) return Fail(ErrorCode::kNotFound, "no list of this reference");
      former = found->second;
    }
    COMITY_ASSIGN_OR_RETURN(auto latter, former->Without(reference));
    std::lock_guard lock(mutex_);
    lists_[list] = std::move(latter);
  }
  barrier_.Drain();
  return {};
}

Galleries::Snapshots Galleries::Snapshot(const policy::EngineProfile& profile) const {
  Snapshots snapshots;
  std::lock_guard lock(mutex_);
  for (const auto& [list, gallery] : lists_) {
    if (gallery->size() > 0 && gallery->profile() == profile) snapshots.push_back({list, gallery});
  }
  return snapshots;
}

std::uint64_t ActiveRows(const Galleries::Snapshots& galleries,
                         std::span<const policy::ListCategory> categories, policy::Instant now) {
  std::uint64_t active = 0;
  for (const auto& snapshot : galleries) active += snapshot.gallery->ActiveRows(categories, now);
  return active;
}

}  // namespace comity::matching
