// SPDX-License-Identifier: Apache-2.0
#include "policy/model/agreement.h"

#include <algorithm>

namespace comity::policy {

const Party* Agreement::FindParty(const AgencyId& agency) const {
  const auto found = std::find_if(parties.begin(), parties.end(),
                                  [&](const Party& party) { return party.agency == agency; });
  return found == parties.end() ? nullptr : &*found;
}

const Purpose* Agreement::FindPurpose(const PurposeCode& code) const {
  const auto found = std::find_if(purposes.begin(), purposes.end(),
                                  [&](const Purpose& purpose) { return purpose.code == code; });
  return found == purposes.end() ? nullptr : &*found;
}

}  // namespace comity::policy
