// SPDX-License-Identifier: Apache-2.0
#include "services/gateway/gallery_loader.h"

#include <utility>

#include "services/matching/gallery.h"

namespace comity::gateway {

Status GalleryLoader::LoadAll() {
  COMITY_ASSIGN_OR_RETURN(const auto lists, watchlists_.StatusOf(std::nullopt, clock_.Now()));
  for (const watchlists::ListStatus& list : lists) COMITY_RETURN_IF_ERROR(Load(list.list));
  return {};
}

Status GalleryLoader::Load(const policy::WatchlistId& list) {
  const std::lock_guard loading(loading_);
  COMITY_ASSIGN_OR_RETURN(const auto lists, watchlists_.StatusOf(list, clock_.Now()));
  const watchlists::ListStatus& status = lists.front();
  COMITY_ASSIGN_OR_RETURN(
      matching::GalleryBuilder builder,
      matching::GalleryBuilder::Create(status.engine, status.active + status.not_yet_valid));
  COMITY_RETURN_IF_ERROR(
      watchlists_.VisitActive(list, [&](const watchlists::ActiveEntry& entry) -> Status {
        return builder.Add({entry.reference, entry.category, entry.response_code, entry.valid_from,
                            entry.expires_at},
                           entry.face_template);
      }));
  galleries_.Put(list, std::move(builder).Build());
  return {};
}

Status GalleryLoader::Withdraw(const policy::WatchlistId& list, std::string_view reference) {
  const std::lock_guard loading(loading_);
  const Status withdrawn = galleries_.Withdraw(list, reference);
  // An entry that had expired before the gateway started is in the store but in no gallery.
  if (!withdrawn && withdrawn.error().code != ErrorCode::kNotFound) return withdrawn;
  return {};
}

}  // namespace comity::gateway
