// SPDX-License-Identifier: Apache-2.0
#include "services/gateway/agency/gallery_loader.h"

#include <utility>

#include "services/matching/gallery.h"

namespace comity::gateway {
namespace {

// Whatever the gallery says of it, of a list that was approved and does not fit it is corrupt.
Status IfFits(const Status& status, const std::string& what) {
  if (status) return {};
  return Fail(ErrorCode::kCorrupt, what + ": " + status.error().detail);
}

}  // namespace

Status GalleryMaker::Begin(const watchlists::ListDefinition& list, std::size_t most) {
  list_ = "watchlist " + list.reference.text();
  auto builder = matching::GalleryBuilder::Create(list.engine, most);
  if (!builder) return IfFits(Fail(builder.error()), list_);
  builder_.emplace(*std::move(builder));
  return {};
}

// What is not yet valid has a row, too.
Status GalleryMaker::Take(std::size_t place, const watchlists::ActiveEntry& entry) {
  const Status set = builder_->Set(place,
                                   {entry.reference, entry.category, entry.subject,
                                    entry.response_code, entry.valid_from, entry.until},
                                   entry.face_template);
  return set ? set : IfFits(set, list_ + ", entry " + entry.reference);
}

Status GalleryMaker::End(const watchlists::ListDefinition& list,
                         std::optional<policy::Instant> validated_at, std::size_t entries) {
  auto gallery = std::move(*builder_).BuildFirst(entries);
  builder_.reset();
  if (!gallery) return IfFits(Fail(gallery.error()), list_);
  made_(list.reference, *std::move(gallery),
        {list.agreements, list.purpose, list.threshold, list.starts_at, list.ends_at,
         validated_at.value_or(policy::Instant{})});
  return {};
}

void GalleryLoader::Follow(ListFollower* follower) {
  const std::unique_lock lock(follower_mutex_);
  follower_ = follower;
}

Status GalleryLoader::Load(const policy::WatchlistId& list) {
  const std::lock_guard one_at_a_time(loading_);
  {
    const std::lock_guard lock(mutex_);
    reading_ = Reading{list, {}, false};
  }
  std::shared_ptr<const matching::Gallery> gallery;
  matching::ListTerms terms;
  GalleryMaker maker([&](const auto& /*list*/, auto made, auto made_terms) {
    gallery = std::move(made);
    terms = std::move(made_terms);
  });
  const Status loaded = watchlists_.Load(list, maker);
  // Put and Drop wait for answers, which wait for nothing that is done under these locks.
  const std::lock_guard lock(mutex_);
  const Reading read = *std::exchange(reading_, std::nullopt);
  if (!loaded || read.dropped) {
    galleries_.Drop(list);
    // One that is not approved, or not any more, is not searched, and nothing is wrong with it.
    if (!loaded && loaded.error().code != ErrorCode::kConflict) return loaded;
    return {};
  }
  if (!read.gone.empty()) gallery = gallery->Without(read.gone);
  galleries_.Put(list, std::move(gallery), std::move(terms));
  TellFollower([&](ListFollower& follower) { follower.OnLoaded(list); });
  return {};
}

void GalleryLoader::Withdraw(const policy::WatchlistId& list,
                             std::span<const std::string> references) {
  {
    const std::lock_guard lock(mutex_);
    if (reading_ && reading_->list == list) {
      reading_->gone.insert(reading_->gone.end(), references.begin(), references.end());
    }
  }
  galleries_.Withdraw(list, references);
  TellFollower([&](ListFollower& follower) { follower.OnWithdrawn(list, references); });
}

void GalleryLoader::Drop(const policy::WatchlistId& list) {
  {
    const std::lock_guard lock(mutex_);
    if (reading_ && reading_->list == list) reading_->dropped = true;
  }
  galleries_.Drop(list);
  TellFollower([&](ListFollower& follower) { follower.OnDropped(list); });
}

Result<watchlists::Validation> GalleryLoader::Revalidate(const policy::AgreementId& agreement,
                                                         const policy::PurposeCode& purpose) {
  COMITY_ASSIGN_OR_RETURN(watchlists::Validation validation,
                          watchlists_.Revalidate(agreement, purpose, clock_.Now()));
  for (const watchlists::Validation::List& list : validation.lists) {
    galleries_.Renew(list.list, validation.validated_at);
  }
  return validation;
}

Result<std::uint64_t> GalleryLoader::Housekeep(policy::Instant now) {
  std::uint64_t erased = 0;
  COMITY_ASSIGN_OR_RETURN(const auto expired, watchlists_.ExpireDue(now));
  for (const auto& [list, references] : expired) {
    Withdraw(list, references);
    erased += references.size();
  }
  COMITY_ASSIGN_OR_RETURN(const auto closed, watchlists_.CloseDue(now));
  for (const policy::WatchlistId& list : closed) Drop(list);
  COMITY_ASSIGN_OR_RETURN(const std::uint64_t deleted, watchlists_.DeleteDue(now));
  return erased + deleted;
}

}  // namespace comity::gateway
