// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string_view>
#include <vector>

#include "crypto/base/result.h"
#include "policy/model/engine_profile.h"
#include "policy/model/ids.h"
#include "services/matching/answer_barrier.h"
#include "services/matching/gallery.h"

namespace comity::matching {

// One list at one moment.
struct GallerySnapshot {
  policy::WatchlistId list;
  std::shared_ptr<const Gallery> gallery;
};

// The holder's lists as they are searched at this moment.
//
// Threads: thread-safe.
class Galleries {
 public:
  using Snapshots = std::vector<GallerySnapshot>;

  // `barrier` must outlive this object.
  explicit Galleries(AnswerBarrier& barrier) : barrier_(barrier) {}

  // Adds the list or takes the place of its former content.
  void Put(const policy::WatchlistId& list, std::shared_ptr<const Gallery> gallery);
  // Once this has returned no answer is given that holds the entry, not even one being computed
  // meanwhile. Must not be called by a thread that holds a ticket of the barrier, nor within a unit
  // of work of the store, on which answers may be waiting.
  // Errors: kNotFound  no such list, or no such entry in it
  Status Withdraw(const policy::WatchlistId& list, std::string_view reference);
  // The lists of this engine profile. Empty galleries are left out.
  Snapshots Snapshot(const policy::EngineProfile& profile) const;

 private:
  using Lists = std::map<policy::WatchlistId, std::shared_ptr<const Gallery>>;
  AnswerBarrier& barrier_;
  mutable std::mutex mutex_;  // guards lists_
  std::mutex change_mutex_;   // one change at a time; held while a gallery is copied
  Lists lists_;
};

// Rows of these categories, in all the galleries, valid at `now`.
std::uint64_t ActiveRows(const Galleries::Snapshots& galleries,
                         std::span<const policy::ListCategory> categories, policy::Instant now);

}  // namespace comity::matching
