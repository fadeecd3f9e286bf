// SPDX-License-Identifier: Apache-2.0
#include "services/agreements/catalogue.h"

#include <algorithm>
#include <limits>

namespace comity::agreements {
namespace {

// What stops sharing goes on stopping it when its agency's key no longer counts: nothing comes back
// into force because a key was lost. In a document that is not trusted everybody may be somebody
// else, though: nobody could ever lift what was stated in it without a key that speaks.
bool Counts(const HeldStatement& held, const HeldVersion& version) {
  const policy::StatementKind kind = held.verified.statement.kind;
  const bool stops = kind == policy::StatementKind::kSuspension ||
                     kind == policy::StatementKind::kTermination ||
                     kind == policy::StatementKind::kRejection;
  return held.barred.empty() || (stops && version.barred.empty());
}

policy::AgreementInput InputOf(const HeldVersion& version, const PeerStatuses& peers) {
  policy::AgreementInput input{version.agreement, {}};
  input.barred = !version.barred.empty();
  for (const HeldStatement& held : version.statements) {
    (Counts(held, version) ? input.statements : input.barred_statements).push_back(held.verified);
  }
  const auto said = peers.find(version.ref);
  if (said != peers.end()) {
    input.peer_word = policy::PeerWord{policy::ParseAgreementStatus(said->second.status)};
  }
  return input;
}

}  // namespace

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

Result<policy::AgreementSet> Catalogue::BuildSet(const PeerStatuses& peers) const {
  std::vector<policy::AgreementInput> inputs;
  for (const auto& [key, version] : versions_) inputs.push_back(InputOf(*version, peers));
  return policy::AgreementSet::Build(std::move(inputs));
}

Result<policy::AgreementSet> Catalogue::Rebuild(const policy::AgreementSet& set,
                                                const policy::AgreementId& id,
                                                const PeerStatuses& peers) const {
  std::vector<policy::AgreementInput> inputs;
  for (auto item = versions_.lower_bound({id, 0});
       item != versions_.end() && item->first.first == id; ++item) {
    inputs.push_back(InputOf(*item->second, peers));
  }
  return set.With(id, std::move(inputs));
}

}  // namespace comity::agreements
