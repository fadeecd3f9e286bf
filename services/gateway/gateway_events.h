// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "policy/model/ids.h"
#include "policy/model/instant.h"
#include "services/audit/log.h"

namespace comity::gateway {

// What stands in the log of a gateway's own start and end.
// In: configuration  its text
audit::Event StartEvent(const policy::AgencyId& self, policy::Instant at,
                        std::string_view configuration);
audit::Event StopEvent(const policy::AgencyId& self, policy::Instant at, std::string_view reason);

}  // namespace comity::gateway
