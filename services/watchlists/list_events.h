// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "policy/model/ids.h"
#include "policy/model/instant.h"
#include "services/audit/journal.h"

namespace comity::watchlists {

// An event about one list, ready to be recorded.
//
// In: type    a constant of services/audit/events.h
//     fields  besides `list`; values go into the payload only
audit::Event ListEvent(std::string_view type, const policy::AgencyId& own,
                       const policy::WatchlistId& list, policy::Instant now,
                       std::map<std::string, std::string> fields,
                       std::map<std::string, std::int64_t> counts = {});

}  // namespace comity::watchlists
