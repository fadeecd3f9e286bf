// SPDX-License-Identifier: Apache-2.0
#include "services/watchlists/list_events.h"

#include <utility>

namespace comity::watchlists {

audit::Event ListEvent(std::string_view type, const policy::AgencyId& own,
                       const policy::WatchlistId& list, policy::Instant now,
                       std::map<std::string, std::string> fields,
                       std::map<std::string, std::int64_t> counts) {
  audit::Event event;
  event.type = type;
  event.time = now;
  event.parties = {own};
  event.committed = std::move(fields);
  event.committed["list"] = list.text();
  event.counts = std::move(counts);
  return event;
}

}  // namespace comity::watchlists
