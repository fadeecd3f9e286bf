// SPDX-License-Identifier: Apache-2.0
#include "services/matching/galleries.h"

#include <algorithm>
#include <utility>

namespace comity::matching {
namespace {

bool Covers(const ListTerms& terms, const SearchScope& scope, policy::Instant now) {
  const auto& agreements = terms.agreements;
  return terms.purpose == scope.purpose && terms.starts_at <= now && now < terms.ends_at &&
         now - terms.validated_at <= scope.bounds.max_age &&
         std::find(agreements.begin(), agreements.end(), scope.agreement) != agreements.end();
}

}  // namespace

void Galleries::Put(const policy::WatchlistId& list, std::shared_ptr<const Gallery> gallery,
                    ListTerms terms) {
  // What was there is destroyed, and wiped, after the locks are released.
  Listed listed{std::move(gallery), std::move(terms)};
  {
    std::lock_guard change(change_mutex_);
    std::lock_guard lock(mutex_);
    std::swap(lists_[list], listed);
  }
  barrier_.Drain();
}

void Galleries::Renew(const policy::WatchlistId& list, policy::Instant validated_at) {
  std::lock_guard lock(mutex_);
  const auto found = lists_.find(list);
  if (found != lists_.end()) found->second.terms.validated_at = validated_at;
}

void Galleries::Withdraw(const policy::WatchlistId& list, std::span<const std::string> references) {
  {
    std::lock_guard change(change_mutex_);
    std::shared_ptr<const Gallery> former;
    {
      std::lock_guard lock(mutex_);
      const auto found = lists_.find(list);
      if (found != lists_.end()) former = found->second.gallery;
    }
    if (former) {
      auto latter = former->Without(references);
      std::lock_guard lock(mutex_);
      lists_[list].gallery = std::move(latter);
    }
  }
  barrier_.Drain();
}

void Galleries::Drop(const policy::WatchlistId& list) {
  {
    std::lock_guard change(change_mutex_);
    std::lock_guard lock(mutex_);
    lists_.erase(list);
  }
  barrier_.Drain();
}

void Galleries::Halt(std::set<policy::WatchlistId> lists) {
  std::lock_guard lock(mutex_);
  halted_ = std::move(lists);
}

bool Galleries::IsHalted(const policy::WatchlistId& list) const {
  std::lock_guard lock(mutex_);
  return halted_.contains(list);
}

Galleries::Snapshots Galleries::Snapshot(const SearchScope& scope, policy::Instant now) const {
  Snapshots snapshots;
  std::lock_guard lock(mutex_);
  for (const auto& [list, listed] : lists_) {
    const std::size_t size = listed.gallery->size();
    if (size > 0 && size <= scope.bounds.max_entries &&
        listed.gallery->profile() == scope.profile && Covers(listed.terms, scope, now) &&
        !halted_.contains(list)) {
      snapshots.push_back({list, listed.gallery, listed.terms.threshold});
    }
  }
  return snapshots;
}

std::uint64_t ActiveRows(const Galleries::Snapshots& galleries, const RowFilter& filter,
                         policy::Instant now) {
  std::uint64_t active = 0;
  for (const auto& snapshot : galleries) active += snapshot.gallery->ActiveRows(filter, now);
  return active;
}

}  // namespace comity::matching
