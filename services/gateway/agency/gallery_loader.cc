// SPDX-License-Identifier: Apache-2.0
#include "services/gateway/agency/gallery_loader.h"

#include <utility>

#include "services/matching/gallery.h"

namespace comity::gateway {
namespace {

matching::ListTerms TermsOf(const watchlists::ListStatus& status) {
  const watchlists::ListDefinition& definition = *status.definition;
  return {definition.agreements, definition.purpose,
          definition.threshold,  definition.starts_at,
          definition.ends_at,    status.validated_at.value_or(policy::Instant{})};
}

}  // namespace

Status GalleryLoader::LoadAll() {
  COMITY_ASSIGN_OR_RETURN(const auto lists, watchlists_.StatusOf(std::nullopt, clock_.Now()));
  for (const watchlists::ListStatus& list : lists) {
    if (list.state == store::ListState::kApproved) COMITY_RETURN_IF_ERROR(Load(list.list));
  }
  return {};
}

Result<GalleryLoader::Searched> GalleryLoader::Read(const policy::WatchlistId& list) const {
  COMITY_ASSIGN_OR_RETURN(const auto lists, watchlists_.StatusOf(list, clock_.Now()));
  const watchlists::ListStatus& status = lists.front();
  if (status.state != store::ListState::kApproved) return Searched{};
  const watchlists::ListCounts& counts = status.counts;
  COMITY_ASSIGN_OR_RETURN(
      matching::GalleryBuilder builder,
      matching::GalleryBuilder::Create(status.definition->engine,
                                       counts.entries - counts.withdrawn - counts.expired));
  // What is not yet valid has a row, too.
  Status added;
  const Status visited =
      watchlists_.VisitActive(list, [&](const watchlists::ActiveEntry& entry) -> Status {
        added = builder.Add({entry.reference, entry.category, entry.subject, entry.response_code,
                             entry.valid_from, entry.until},
                            entry.face_template);
        return added;
      });
  // Closed since the first look: not searched, as any list that is not approved.
  if (!visited && added && visited.error().code == ErrorCode::kConflict) return Searched{};
  COMITY_RETURN_IF_ERROR(visited);
  return Searched{std::move(builder).Build(), TermsOf(status)};
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
  Result<Searched> searched = Read(list);
  // Put and Drop wait for answers, which wait for nothing that is done under these locks.
  const std::lock_guard lock(mutex_);
  const Reading read = *std::exchange(reading_, std::nullopt);
  if (!searched || !searched->gallery || read.dropped) {
    galleries_.Drop(list);
    if (!searched) return Fail(searched.error());
    return {};
  }
  auto gallery = read.gone.empty() ? searched->gallery : searched->gallery->Without(read.gone);
  galleries_.Put(list, std::move(gallery), std::move(searched->terms));
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
