// SPDX-License-Identifier: Apache-2.0
#include "services/matching/sealed_mode.h"

#include <algorithm>
#include <cmath>

#include "policy/model/agreement.h"

namespace comity::matching {
namespace {

constexpr double kUnit = 1e4;
// 0.42 * 1e4 is 4200.000000000001 in binary64.
constexpr double kTolerance = 1e-6;
constexpr std::uint32_t kMostReleased = 8;  // the release budget of a block

bool HasSealed(const policy::AgreementVersion& version, const policy::SearchRequest& request) {
  return std::ranges::any_of(
      version.agreement.permissions, [&](const policy::SearchPermission& permission) {
        return permission.mode == policy::SearchMode::kSealed &&
               permission.requester == request.requester && permission.holder == request.holder &&
               permission.engine == *request.engine &&
               std::ranges::count(permission.purposes, *request.purpose) != 0;
      });
}

// Of an agreement none of whose versions is agreed, which one is the current may be up to what the
// holder proposes: any of them counts.
bool NamesSealed(const policy::AgreementSet& set, const policy::AgreementId& id,
                 const policy::SearchRequest& request, policy::Instant now) {
  const policy::AgreementVersion* current = set.FindCurrent(id, now);
  if (current == nullptr) return false;
  if (current->agreed) return HasSealed(*current, request);
  return std::ranges::any_of(set.Versions(id), [&](const policy::AgreementVersion& version) {
    return HasSealed(version, request);
  });
}

}  // namespace

std::int32_t TauOf(double threshold) {
  return static_cast<std::int32_t>(std::ceil(threshold * kUnit - kTolerance));
}

std::uint32_t SealedCap(std::uint32_t hit_cap) {
  return std::min(hit_cap, kMostReleased);
}

policy::SearchMode ChooseMode(const SearchOrder& order, const policy::AgencyId& holder,
                              std::span<const policy::AgreementId> agreements,
                              const policy::AgreementSet& set, policy::Instant now) {
  if (order.request.mode) return *order.request.mode;
  policy::SearchRequest request = order.request;
  request.holder = holder;
  if (!request.purpose || !request.engine) return policy::SearchMode::kDirect;  // it is denied
  const bool is_sealed = std::ranges::any_of(agreements, [&](const policy::AgreementId& id) {
    return NamesSealed(set, id, request, now);
  });
  return is_sealed ? policy::SearchMode::kSealed : policy::SearchMode::kDirect;
}

std::shared_ptr<const SearchOrder> InMode(const std::shared_ptr<const SearchOrder>& order,
                                          policy::SearchMode mode) {
  if (order->request.mode == mode) return order;
  auto settled = std::make_shared<SearchOrder>(*order);
  settled->request.mode = mode;
  return settled;
}

}  // namespace comity::matching
