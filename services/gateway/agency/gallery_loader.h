// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "crypto/base/result.h"
#include "services/matching/galleries.h"
#include "services/runtime/clock.h"
#include "services/watchlists/register.h"

namespace comity::gateway {

// Is told of what becomes of lists, once their galleries are so.
//
// Threads: implementations are thread-safe.
class ListFollower {
 public:
  virtual ~ListFollower() = default;
  virtual void OnLoaded(const policy::WatchlistId& list) = 0;
  virtual void OnWithdrawn(const policy::WatchlistId& list,
                           std::span<const std::string> references) = 0;
  virtual void OnDropped(const policy::WatchlistId& list) = 0;
};

// Makes galleries of approved lists while they are read.
//
// Threads: as ListTaker says.
class GalleryMaker final : public watchlists::ListTaker {
 public:
  // What becomes of a list that was read to its end.
  using Made = std::function<void(const policy::WatchlistId& list,
                                  std::shared_ptr<const matching::Gallery>, matching::ListTerms)>;
  explicit GalleryMaker(Made made) : made_(std::move(made)) {}

  // Errors of all three: kCorrupt  the list cannot be a gallery; names it and, where it is one
  //                      entry's fault, the entry
  Status Begin(const watchlists::ListDefinition& list, std::size_t most) override;
  Status Take(std::size_t place, const watchlists::ActiveEntry& entry) override;
  Status End(const watchlists::ListDefinition& list, std::optional<policy::Instant> validated_at,
             std::size_t entries) override;

 private:
  const Made made_;
  std::optional<matching::GalleryBuilder> builder_;  // of the list that is being read
  std::string list_;
};

// Brings approved watchlists into memory as galleries, and keeps them alike: the two folders do not
// know each other.
//
// Threads: thread-safe; not by one that holds a ticket of the barrier, nor within a unit of work.
class GalleryLoader {
 public:
  // References must outlive the object.
  GalleryLoader(watchlists::Register& watchlists, matching::Galleries& galleries,
                const runtime::Clock& clock)
      : watchlists_(watchlists), galleries_(galleries), clock_(clock) {}

  // Whom to tell from now on; null: nobody. On return the former one is not told any more.
  void Follow(ListFollower* follower);
  // On return the list is searched as it is stored now; one that is not approved is not searched.
  // Errors: kNotFound; kCorrupt: it is not searched then
  Status Load(const policy::WatchlistId& list);
  // On return no answer holds one of the entries. Does not wait for a list that is being read.
  void Withdraw(const policy::WatchlistId& list, std::span<const std::string> references);
  // On return no answer holds an entry of the list. Does not wait for it either.
  void Drop(const policy::WatchlistId& list);
  // Whether the stop control holds the list.
  bool IsHalted(const policy::WatchlistId& list) const { return galleries_.IsHalted(list); }
  // Validates every list that may be searched so (Register::Revalidate).
  Result<watchlists::Validation> Revalidate(const policy::AgreementId& agreement,
                                            const policy::PurposeCode& purpose);
  // What is due at `now`: erases expired entries, closes lists whose time is over, deletes closed
  // ones. Returns how many entries and lists were erased. About every ten seconds.
  Result<std::uint64_t> Housekeep(policy::Instant now);

 private:
  // The list that is being read, and what was taken out of it meanwhile.
  struct Reading {
    policy::WatchlistId list;
    std::vector<std::string> gone;
    bool dropped = false;
  };
  template <typename Tell>
  void TellFollower(Tell&& tell) {
    const std::shared_lock lock(follower_mutex_);
    if (follower_ != nullptr) tell(*follower_);
  }

  watchlists::Register& watchlists_;
  matching::Galleries& galleries_;
  const runtime::Clock& clock_;
  std::shared_mutex follower_mutex_;  // guards follower_; shared while it is told
  ListFollower* follower_ = nullptr;
  std::mutex loading_;  // one list at a time
  std::mutex mutex_;    // guards reading_
  std::optional<Reading> reading_;
};

}  // namespace comity::gateway
