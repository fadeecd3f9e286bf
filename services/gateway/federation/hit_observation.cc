// SPDX-License-Identifier: Apache-2.0
#include "services/gateway/federation/hit_observation.h"

#include <algorithm>

namespace comity::gateway {

std::optional<oversight::WatchedSearch> HitObservation::WatchedBy(
    const matching::ObservedSearch& search) const {
  const auto& reference = search.decision.agreement;
  if (!reference) return std::nullopt;
  const auto set = agreements_();
  const policy::AgreementVersion* const version =
      set->FindVersion(reference->id, reference->version);
  if (version == nullptr) return std::nullopt;
  for (const policy::SearchPermission& permission : version->agreement.permissions) {
    if (std::ranges::count(search.decision.clauses, permission.id) == 0) continue;
    oversight::WatchedSearch watched;
    watched.side = side_;
    watched.agreement = *reference;
    watched.partner = search.partner;
    watched.clause = permission.id;
    watched.officer = search.officer;
    watched.case_ref = search.case_ref;
    watched.bounds = permission.alarms;
    return watched;
  }
  return std::nullopt;
}

void HitObservation::OnMiss(const matching::ObservedSearch& search) {
  if (const auto watched = WatchedBy(search)) alarms_.OnMiss(*watched);
}

Result<bool> HitObservation::OnHits(store::Transaction& transaction, audit::Recorder& recorder,
                                    const matching::ObservedSearch& search,
                                    std::span<const std::string> entries) {
  const auto watched = WatchedBy(search);
  if (!watched) {
    return Fail(ErrorCode::kInternal, "no bounds are known for a hit that was permitted");
  }
  return alarms_.OnHits(transaction, recorder, *watched, entries);
}

Result<bool> HitObservation::OnOverCap(store::Transaction& transaction, audit::Recorder& recorder,
                                       const matching::ObservedSearch& search) {
  const auto watched = WatchedBy(search);
  if (!watched) {
    return Fail(ErrorCode::kInternal, "no bounds are known for a probe that was permitted");
  }
  return alarms_.OnOverCap(transaction, recorder, *watched);
}

}  // namespace comity::gateway
