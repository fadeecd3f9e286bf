// SPDX-License-Identifier: Apache-2.0
#include "services/agreements/catalogue.h"

#include <algorithm>
#include <limits>

namespace comity::agreements {

const HeldStatement* HeldVersion::Find(const Digest& statement) const {
  const auto found =
      std::find_if(statements.begin(), statements.end(),
                   [&](const HeldStatement& held) { return held.verified.id == statement; });
  return found == statements.end() ? nullptr : &*found;
}

std::shared_ptr<const HeldVersion> Catalogue::Find(const policy::AgreementId& id,
                                                   std::uint32_t version) const {
  if (version != 0) {
    const auto found = versions_.find({id, version});
    return found == versions_.end() ? nullptr : found->second;
  }
  auto after = versions_.upper_bound({id, std::numeric_limits<std::uint32_t>::max()});
  if (after == versions_.begin() || (--after)->first.first != id) return nullptr;
  return after->second;
}

void Catalogue::Put(HeldVersion version) {
  const Key key{version.ref.id, version.ref.version};
  versions_[key] = std::make_shared<const HeldVersion>(std::move(version));
}

Result<policy::AgreementSet> Catalogue::BuildSet() const {
  std::vector<policy::AgreementInput> inputs;
  const policy::AgreementId* barred = nullptr;  // seen from the highest version downwards
  for (auto item = versions_.rbegin(); item != versions_.rend(); ++item) {
    const HeldVersion& version = *item->second;
    if (!version.barred.empty()) barred = &version.ref.id;
    if (barred != nullptr && *barred == version.ref.id) continue;
    policy::AgreementInput input{version.agreement, {}};
    for (const HeldStatement& held : version.statements) input.statements.push_back(held.verified);
    inputs.push_back(std::move(input));
  }
  return policy::AgreementSet::Build(std::move(inputs));
}

}  // namespace comity::agreements
