// SPDX-License-Identifier: Apache-2.0
#include "services/matching/sealed_ground.h"

#include <algorithm>
#include <set>
#include <utility>

#include "services/matching/sealed/session_terms.h"

namespace comity::matching {
namespace {

using policy::ReasonCode;

// What one session can carry: the numbers of one sketch, the memory of one batch.
bool IsBounded(std::span<const SealedListInForce> lists) {
  std::uint64_t blocks = 0;
  for (const SealedListInForce& list : lists) blocks += BlocksOf(list.view->state());
  const std::size_t slots = SlotsOf(lists);
  return slots > 0 && slots <= kMaxSlotsABatch && blocks <= sealed::kMaxBlocks;
}

bool IsEngine(const sealed::ListHeader& header, const policy::EngineProfile& engine) {
  return header.engine_name == engine.name && header.engine_version == engine.version &&
         header.scales.dimension == engine.dimension;
}

bool IsOfTerms(const sealed::ListHeader& header, const policy::SearchRequest& request) {
  return IsEngine(header, *request.engine) && header.agreement == request.agreement->id.text() &&
         header.agreement_version == request.agreement->version &&
         header.agreement_sha256 == request.agreement->sha256 &&
         header.purpose == request.purpose->text();
}

}  // namespace

std::size_t SlotsOf(std::span<const SealedListInForce> lists) {
  std::size_t slots = 0;
  for (const SealedListInForce& list : lists) slots += list.view->slots().size();
  return slots;
}

std::vector<SealedListRef> RefsOf(std::span<const SealedListInForce> lists) {
  std::vector<SealedListRef> refs;
  for (const SealedListInForce& list : lists) refs.push_back(RefOf(list));
  return refs;
}

const GallerySnapshot* SnapshotOf(const Galleries::Snapshots& galleries,
                                  const policy::WatchlistId& list) {
  const auto found = std::ranges::find(galleries, list, &GallerySnapshot::list);
  return found == galleries.end() ? nullptr : &*found;
}

bool AllHaveGalleries(std::span<const SealedListInForce> lists,
                      const Galleries::Snapshots& galleries) {
  return std::ranges::all_of(lists, [&](const SealedListInForce& list) {
    return list.view->slots().size() == 0 || SnapshotOf(galleries, list.list) != nullptr;
  });
}

tl::expected<std::vector<SealedListInForce>, ReasonCode> FindSealedGround(
    const SearchTerms& terms, std::span<const SealedListRef> refs, const SealedLists& sealed,
    policy::Instant now) {
  const policy::SearchRequest& request = terms.request;
  std::set<policy::WatchlistId> wanted;
  for (const SealedListInForce& list :
       sealed.InForce(request.requester, *request.agreement, *request.purpose, now)) {
    if (IsEngine(list.view->header(), *request.engine)) wanted.insert(list.list);
  }
  if (wanted.size() > kMostSealedLists) return tl::unexpected(ReasonCode::kListNotCovered);
  std::vector<SealedListInForce> found;
  for (const SealedListRef& ref : refs) {
    auto list = sealed.Find(ref.header, request.requester, now);
    if (!list || !list->Is(ref) || !IsOfTerms(list->view->header(), request) ||
        wanted.erase(list->list) == 0) {
      return tl::unexpected(ReasonCode::kListChanged);
    }
    found.push_back(*std::move(list));
  }
  if (!wanted.empty() || found.empty()) return tl::unexpected(ReasonCode::kListChanged);
  if (!IsBounded(found)) return tl::unexpected(ReasonCode::kListNotCovered);
  return found;
}

std::optional<ReasonCode> CheckTau(std::int32_t tau, std::span<const SealedListInForce> lists) {
  for (const SealedListInForce& list : lists) {
    const sealed::Scales& scales = list.view->header().scales;
    if (tau < scales.tau_min) return ReasonCode::kThresholdBelowFloor;
    if (tau > scales.tau_max) return ReasonCode::kListNotCovered;
  }
  return std::nullopt;
}

}  // namespace comity::matching
