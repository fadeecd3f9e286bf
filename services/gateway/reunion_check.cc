// SPDX-License-Identifier: Apache-2.0
#include "services/gateway/reunion_check.h"

#include <algorithm>

namespace comity::gateway {

Status NoteReunited(oversight::Reunion& reunion, const std::vector<policy::AgencyId>& partners,
                    const agreements::Register& agreements, const AgreementCourier& courier) {
  for (const policy::AgencyId& partner : reunion.Waiting(partners)) {
    const auto files = agreements.PendingFor(partner);
    const bool heard = std::ranges::all_of(files, [&](const auto& file) {
      const auto states = courier.StateOf(file.agreement);
      const auto state = states.find(partner);
      return state != states.end() && state->second.heard;
    });
    if (heard && !files.empty()) COMITY_RETURN_IF_ERROR(reunion.NoteReached(partner));
  }
  return {};
}

}  // namespace comity::gateway
