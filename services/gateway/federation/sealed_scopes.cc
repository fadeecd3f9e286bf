// SPDX-License-Identifier: Apache-2.0
#include "services/gateway/federation/sealed_scopes.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "policy/decide/standing.h"
#include "services/matching/sealed_mode.h"

namespace comity::gateway {
namespace {

constexpr std::chrono::seconds kLongestAge = std::chrono::hours(24);
// How far above its floor a list's searches may set their threshold, in 1e-4.
constexpr std::int32_t kTauSpan = 2000;
constexpr std::int32_t kLeastTauMax = 6000;
constexpr std::int32_t kMostTau = 10000;
// Every cosine is exact, so that the opposite of a face never hits.
constexpr std::int32_t kCosMin = -10000;

// What the permissions for one purpose let be sealed together.
struct Covered {
  std::set<policy::ListCategory> categories;
  policy::TermSet<policy::SubjectCategory> subjects;
  double floor = 1.0;
  std::chrono::seconds max_age = kLongestAge;
  std::uint64_t max_entries = 0;
};
using Key = std::pair<policy::AgencyId, policy::PurposeCode>;

std::map<Key, Covered> CoveredBy(const policy::AgreementVersion& version,
                                 const policy::AgencyId& self,
                                 const policy::EngineProfile& engine) {
  std::map<Key, Covered> all;
  for (const policy::SearchPermission& permission : version.agreement.permissions) {
    if (permission.holder != self || permission.mode != policy::SearchMode::kSealed ||
        permission.engine != engine) {
      continue;
    }
    for (const policy::PurposeCode& code : permission.purposes) {
      const policy::Purpose* const purpose = version.agreement.FindPurpose(code);
      if (purpose == nullptr) continue;
      Covered& covered = all[{permission.requester, code}];
      covered.categories.insert(permission.list_categories.begin(),
                                permission.list_categories.end());
      covered.subjects = purpose->subject_categories;
      covered.floor = std::min(covered.floor, permission.threshold_floor);
      covered.max_age = std::min(covered.max_age, permission.lists.max_age);
      covered.max_entries =
          std::max<std::uint64_t>(covered.max_entries, permission.lists.max_entries);
    }
  }
  return all;
}

void AddWanted(const policy::AgreementVersion& version, const policy::AgencyId& self,
               const watchlists::ListStatus& list, std::vector<WantedSealed>& wanted) {
  for (auto& [key, covered] : CoveredBy(version, self, list.definition->engine)) {
    if (key.second != list.definition->purpose) continue;
    if (list.counts.active > covered.max_entries) continue;
    const auto scales = ScalesFor(list.definition->engine.dimension,
                                  std::max(covered.floor, list.definition->threshold));
    if (!scales || covered.max_age <= std::chrono::seconds(0)) continue;
    WantedSealed& one = wanted.emplace_back();
    one.scope = {key.first, version.ref, key.second, list.list};
    one.terms.max_age = covered.max_age;
    one.terms.scales = *scales;
    one.terms.takes = [categories = std::move(covered.categories),
                       subjects = covered.subjects](const watchlists::ActiveEntry& entry) {
      return categories.contains(entry.category) && subjects.Has(entry.subject);
    };
  }
}

}  // namespace

std::optional<sealed::Scales> ScalesFor(std::uint32_t dimension, double floor) {
  if (!sealed::IsDimension(dimension)) return std::nullopt;
  sealed::Scales scales;
  scales.dimension = dimension;
  scales.tau_min = matching::TauOf(floor);
  scales.tau_max = std::min(kMostTau, std::max(kLeastTauMax, scales.tau_min + kTauSpan));
  scales.cos_min = kCosMin;
  return scales;
}

std::vector<WantedSealed> WantedSealedLists(const policy::AgreementSet& agreements,
                                            const policy::AgencyId& self,
                                            std::span<const watchlists::ListStatus> lists,
                                            policy::Instant now) {
  std::vector<WantedSealed> wanted;
  for (const watchlists::ListStatus& list : lists) {
    if (!list.searchable || list.definition == nullptr) continue;
    for (const policy::AgreementId& id : list.definition->agreements) {
      const policy::AgreementVersion* const version = agreements.FindCurrent(id, now);
      if (version == nullptr || !policy::IsUsable(*version, now)) continue;
      AddWanted(*version, self, list, wanted);
    }
  }
  return wanted;
}

bool IsOver(const policy::AgreementSet& agreements, const policy::AgreementRef& ref,
            policy::Instant now) {
  const policy::AgreementVersion* const version = agreements.FindCurrent(ref.id, now);
  if (version == nullptr || version->ref != ref) return true;
  const std::optional<policy::Decision> denial = policy::DenyByState(*version, now);
  if (!denial) return false;
  using policy::ReasonCode;
  return denial->code == ReasonCode::kAgreementTerminated ||
         denial->code == ReasonCode::kAgreementRejected ||
         denial->code == ReasonCode::kAgreementExpired;
}

}  // namespace comity::gateway
