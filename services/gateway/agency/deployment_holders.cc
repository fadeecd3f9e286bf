// SPDX-License-Identifier: Apache-2.0
#include "services/gateway/agency/deployment_holders.h"

#include <algorithm>
#include <map>
#include <utility>

namespace comity::gateway {
namespace {

using ByAgency = std::map<policy::AgencyId, std::vector<policy::AgreementId>>;

std::vector<AskedHolder> InOrder(ByAgency by_agency) {
  std::vector<AskedHolder> holders;
  for (auto& [holder, agreements] : by_agency) holders.push_back({holder, std::move(agreements)});
  return holders;
}

}  // namespace

std::vector<AskedHolder> HoldersOf(const std::vector<policy::AgreementId>& agreements,
                                   const policy::AgreementSet& set, const policy::AgencyId& self,
                                   policy::Instant now) {
  ByAgency by_agency;
  for (const policy::AgreementId& id : agreements) {
    const policy::AgreementVersion* current = set.FindCurrent(id, now);
    if (current == nullptr || current->agreement.FindParty(self) == nullptr) continue;
    for (const policy::Party& party : current->agreement.parties) {
      if (party.agency != self) by_agency[party.agency].push_back(id);
    }
  }
  return InOrder(std::move(by_agency));
}

std::vector<AskedHolder> AllHolders(const policy::AgreementSet& set, const policy::AgencyId& self,
                                    policy::Instant now) {
  ByAgency by_agency;
  for (const policy::AgreementId& id : set.ids()) {
    for (const auto& permission : set.FindCurrent(id, now)->agreement.permissions) {
      if (permission.requester != self) continue;
      std::vector<policy::AgreementId>& agreements = by_agency[permission.holder];
      if (std::ranges::count(agreements, id) == 0) agreements.push_back(id);
    }
  }
  return InOrder(std::move(by_agency));
}

}  // namespace comity::gateway
