// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/base/result.h"
#include "policy/model/agreement.h"
#include "policy/model/engine_profile.h"
#include "policy/model/ids.h"
#include "policy/model/instant.h"
#include "services/matching/answer_barrier.h"
#include "services/matching/gallery.h"

namespace comity::matching {

// What a list is bound to (WL-4, PU-2): for nothing else and at no other time is it searched.
struct ListTerms {
  std::vector<policy::AgreementId> agreements;  // none: no partner searches it
  policy::PurposeCode purpose;
  double threshold = 1.0;  // a score below it is no hit, whatever a search asks for
  policy::Instant starts_at{};
  policy::Instant ends_at{};
  policy::Instant validated_at{};  // when it was approved or every entry was last looked at again
};

// For what a search is made.
struct SearchScope {
  policy::EngineProfile profile;
  policy::AgreementId agreement;
  policy::PurposeCode purpose;
  policy::ListBounds bounds;  // of the permission; a list outside them is not searched
};

// One list at one moment.
struct GallerySnapshot {
  policy::WatchlistId list;
  std::shared_ptr<const Gallery> gallery;
  double threshold = 1.0;  // see ListTerms
};

// The holder's approved lists as they are searched at this moment.
//
// Threads: thread-safe. Put, Withdraw and Drop must not be called by a thread that holds a ticket
// of the barrier, nor within a unit of work of the store, on which answers may be waiting.
class Galleries {
 public:
  using Snapshots = std::vector<GallerySnapshot>;

  // `barrier` must outlive this object.
  explicit Galleries(AnswerBarrier& barrier) : barrier_(barrier) {}

  // Adds the list or takes the place of its former content and terms; on return no answer rests on
  // those.
  void Put(const policy::WatchlistId& list, std::shared_ptr<const Gallery> gallery,
           ListTerms terms);
  // The list was looked at again; nothing else of it changes. What is not there is passed over.
  void Renew(const policy::WatchlistId& list, policy::Instant validated_at);
  // Once this has returned no answer is given that holds one of the entries, not even one being
  // computed meanwhile. What is not there is passed over.
  void Withdraw(const policy::WatchlistId& list, std::span<const std::string> references);
  // The same for the whole list.
  void Drop(const policy::WatchlistId& list);
  // Leaves these lists out of every snapshot until the next call. Does not wait for answers under
  // way: who must be sure drains the barrier.
  void Halt(std::set<policy::WatchlistId> lists);
  bool IsHalted(const policy::WatchlistId& list) const;
  // The lists that may be searched so at `now`. Empty galleries are left out.
  Snapshots Snapshot(const SearchScope& scope, policy::Instant now) const;

 private:
  struct Listed {
    std::shared_ptr<const Gallery> gallery;
    ListTerms terms;
  };
  AnswerBarrier& barrier_;
  mutable std::mutex mutex_;  // guards lists_ and halted_
  std::mutex change_mutex_;   // one change at a time; held while a gallery is copied
  std::map<policy::WatchlistId, Listed> lists_;
  std::set<policy::WatchlistId> halted_;
};

// Rows that the filter takes, in all the galleries, valid at `now`.
std::uint64_t ActiveRows(const Galleries::Snapshots& galleries, const RowFilter& filter,
                         policy::Instant now);

}  // namespace comity::matching
