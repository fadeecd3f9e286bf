// SPDX-License-Identifier: Apache-2.0
#include "policy/decide/agreement_set.h"

#include <algorithm>
#include <tuple>
#include <utility>

namespace comity::policy {
namespace {

bool Before(const AgreementVersion& left, const AgreementVersion& right) {
  return std::tie(left.ref.id, left.ref.version) < std::tie(right.ref.id, right.ref.version);
}

AgreementVersion Prepare(AgreementInput input) {
  AgreementVersion version;
  version.ref = RefOf(input.agreement);
  version.state = ComputeStatementState(input.agreement, input.statements);
  version.missing_attachments = MissingAttachments(input.agreement);
  version.agreement = std::move(input.agreement);
  return version;
}

// A suspension is of the sharing, not of a number: a higher version, also one that was signed
// before it, does not run on until the suspension is lifted. A termination ends its version and
// with it what was suspended in it.
void CarrySuspensions(const AgreementVersion& lower, AgreementVersion& higher) {
  if (lower.ref.id != higher.ref.id || lower.state.termination) return;
  auto& suspensions = higher.state.suspensions;
  suspensions.insert(suspensions.end(), lower.state.suspensions.begin(),
                     lower.state.suspensions.end());
  std::sort(suspensions.begin(), suspensions.end());
}

}  // namespace

Result<AgreementSet> AgreementSet::Build(std::vector<AgreementInput> inputs) {
  AgreementSet set;
  set.versions_.reserve(inputs.size());
  for (AgreementInput& input : inputs) set.versions_.push_back(Prepare(std::move(input)));
  std::sort(set.versions_.begin(), set.versions_.end(), Before);
  for (std::size_t i = 1; i < set.versions_.size(); ++i) {
    if (!Before(set.versions_[i - 1], set.versions_[i])) {
      const AgreementRef& ref = set.versions_[i].ref;
      return Fail(ErrorCode::kConflict, "two documents are version " + std::to_string(ref.version) +
                                            " of " + ref.id.text());
    }
    CarrySuspensions(set.versions_[i - 1], set.versions_[i]);
  }
  set.Index();
  return set;
}

void AgreementSet::Index() {
  for (std::size_t i = 0; i < versions_.size(); ++i) {
    const AgreementId& id = versions_[i].ref.id;
    by_id_.try_emplace(id, Range{i, i}).first->second.end = i + 1;
    for (const SearchPermission& permission : versions_[i].agreement.permissions) {
      auto& ids = by_pair_[permission.requester][permission.holder];
      // Versions come ordered by id, so a repetition can only be the last one.
      if (ids.empty() || ids.back() != id) ids.push_back(id);
    }
  }
}

std::span<const AgreementVersion> AgreementSet::Versions(const AgreementId& id) const {
  const auto found = by_id_.find(id);
  if (found == by_id_.end()) return {};
  return std::span(versions_).subspan(found->second.begin, found->second.end - found->second.begin);
}

const AgreementVersion* AgreementSet::FindCurrent(const AgreementId& id, Instant now) const {
  const auto versions = Versions(id);
  const AgreementVersion* lowest_complete = nullptr;
  for (auto version = versions.rbegin(); version != versions.rend(); ++version) {
    if (!version->state.complete) continue;
    if (version->agreement.effective_from <= now) return &*version;
    lowest_complete = &*version;
  }
  if (lowest_complete != nullptr) return lowest_complete;
  return versions.empty() ? nullptr : &versions.back();
}

const AgreementVersion* AgreementSet::FindVersion(const AgreementId& id,
                                                  std::uint32_t version) const {
  for (const AgreementVersion& each : Versions(id)) {
    if (each.ref.version == version) return &each;
  }
  return nullptr;
}

std::span<const AgreementId> AgreementSet::FindBetween(const AgencyId& requester,
                                                       const AgencyId& holder) const {
  const auto from = by_pair_.find(requester);
  if (from == by_pair_.end()) return {};
  const auto to = from->second.find(holder);
  if (to == from->second.end()) return {};
  return to->second;
}

AgreementStatus AgreementSet::StatusOf(const AgreementVersion& version, Instant now) const {
  const AgreementStatus status = StatusAt(version.agreement, version.state, now);
  if (status == AgreementStatus::kTerminated) return status;
  const AgreementVersion* current = FindCurrent(version.ref.id, now);
  const bool below = current != nullptr && version.ref.version < current->ref.version;
  return below && current->state.complete ? AgreementStatus::kSuperseded : status;
}

}  // namespace comity::policy
