// SPDX-License-Identifier: Apache-2.0
#include "policy/decide/agreement_set.h"

#include <algorithm>
#include <cstddef>
#include <map>
#include <string>
#include <utility>

namespace comity::policy {
namespace {

bool Before(const AgreementInput& left, const AgreementInput& right) {
  return left.agreement.version < right.agreement.version;
}

AgreementVersion Prepare(AgreementInput input) {
  AgreementVersion version;
  version.ref = RefOf(input.agreement);
  version.state = ComputeStatementState(input.agreement, input.statements);
  version.agreed = version.state.complete;
  if (!version.agreed && !input.barred_statements.empty()) {
    std::vector<VerifiedStatement> all = std::move(input.statements);
    all.insert(all.end(), input.barred_statements.begin(), input.barred_statements.end());
    version.agreed = ComputeStatementState(input.agreement, all).complete;
  }
  version.missing_attachments = MissingAttachments(input.agreement);
  version.peer_word = input.peer_word;
  version.agreement = std::move(input.agreement);
  return version;
}

// A suspension is of the sharing, not of a number: a higher version, also one that was signed
// before it, does not run on until those who suspended have lifted it. Not even a rejection of its
// own version ends it: one person rejects, also one of the other side.
void CarrySuspensions(const AgreementVersion& lower, AgreementVersion& higher) {
  StatementState& state = higher.state;
  for (const OpenSuspension& carried : lower.state.suspensions) {
    state.suspensions.push_back(carried);
    if (carried.until != Instant::max()) continue;
    state.missing.push_back(MissingResumptions(carried) + ", who suspended version " +
                            std::to_string(carried.version));
  }
  std::sort(state.suspensions.begin(), state.suspensions.end());
}

void InsertOrdered(std::vector<AgreementId>& ids, const AgreementId& id) {
  const auto place = std::lower_bound(ids.begin(), ids.end(), id);
  if (place == ids.end() || *place != id) ids.insert(place, id);
}

}  // namespace

Result<AgreementSet::Group> AgreementSet::MakeGroup(std::vector<AgreementInput> inputs) {
  std::sort(inputs.begin(), inputs.end(), Before);
  Group group;
  group.reserve(inputs.size());
  std::size_t usable_from = 0;
  for (AgreementInput& input : inputs) {
    const bool barred = input.barred;
    AgreementVersion version = Prepare(std::move(input));
    if (!group.empty()) {
      if (group.back().ref.version == version.ref.version) {
        return Fail(ErrorCode::kConflict, "two documents are version " +
                                              std::to_string(version.ref.version) + " of " +
                                              version.ref.id.text());
      }
      CarrySuspensions(group.back(), version);
    }
    group.push_back(std::move(version));
    if (barred) usable_from = group.size();
  }
  group.erase(group.begin(), group.begin() + static_cast<std::ptrdiff_t>(usable_from));
  return group;
}

Result<AgreementSet> AgreementSet::Build(std::vector<AgreementInput> inputs) {
  std::map<AgreementId, std::vector<AgreementInput>> by_id;
  for (AgreementInput& input : inputs) by_id[input.agreement.id].push_back(std::move(input));
  AgreementSet set;
  for (auto& [id, versions] : by_id) {
    COMITY_ASSIGN_OR_RETURN(Group group, MakeGroup(std::move(versions)));
    set.Put(id, std::move(group));
  }
  return set;
}

Result<AgreementSet> AgreementSet::With(const AgreementId& id,
                                        std::vector<AgreementInput> versions) const {
  COMITY_ASSIGN_OR_RETURN(Group group, MakeGroup(std::move(versions)));
  AgreementSet set = *this;
  set.Put(id, std::move(group));
  return set;
}

void AgreementSet::Put(const AgreementId& id, Group group) {
  ForEachPair(id, [&](std::vector<AgreementId>& ids) { std::erase(ids, id); });
  std::erase(ids_, id);
  by_id_.erase(id);
  if (group.empty()) return;
  by_id_.emplace(id, std::make_shared<const Group>(std::move(group)));
  InsertOrdered(ids_, id);
  ForEachPair(id, [&](std::vector<AgreementId>& ids) { InsertOrdered(ids, id); });
}

template <typename Visit>
void AgreementSet::ForEachPair(const AgreementId& id, Visit visit) {
  for (const AgreementVersion& version : Versions(id)) {
    for (const SearchPermission& permission : version.agreement.permissions) {
      visit(by_pair_[permission.requester][permission.holder]);
    }
  }
}

std::span<const AgreementVersion> AgreementSet::Versions(const AgreementId& id) const {
  const auto found = by_id_.find(id);
  if (found == by_id_.end()) return {};
  return *found->second;
}

const AgreementVersion* AgreementSet::FindCurrent(const AgreementId& id, Instant now) const {
  const auto versions = Versions(id);
  const AgreementVersion* lowest_agreed = nullptr;
  for (auto version = versions.rbegin(); version != versions.rend(); ++version) {
    if (!version->agreed) continue;
    if (version->agreement.effective_from <= now) return &*version;
    lowest_agreed = &*version;
  }
  if (lowest_agreed != nullptr) return lowest_agreed;
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
  return below && current->agreed ? AgreementStatus::kSuperseded : status;
}

}  // namespace comity::policy
