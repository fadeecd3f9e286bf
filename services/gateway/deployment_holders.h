// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "policy/decide/agreement_set.h"
#include "services/matching/deployment.h"

namespace comity::gateway {

// The agencies a deployment asks: the other parties of its agreement. Whether each may be asked is
// decided for each probe. Empty: this gateway knows no such agreement.
std::vector<policy::AgencyId> HoldersOf(const matching::Deployment& deployment,
                                        const policy::AgreementSet& agreements,
                                        const policy::AgencyId& self, policy::Instant now);

}  // namespace comity::gateway
