// SPDX-License-Identifier: Apache-2.0
#include "services/gateway/deployment_holders.h"

namespace comity::gateway {

std::vector<policy::AgencyId> HoldersOf(const matching::Deployment& deployment,
                                        const policy::AgreementSet& agreements,
                                        const policy::AgencyId& self, policy::Instant now) {
  std::vector<policy::AgencyId> holders;
  const policy::AgreementVersion* current = agreements.FindCurrent(deployment.agreement, now);
  if (current == nullptr) return holders;
  for (const policy::Party& party : current->agreement.parties) {
    if (party.agency != self) holders.push_back(party.agency);
  }
  return holders;
}

}  // namespace comity::gateway
