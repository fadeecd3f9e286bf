// SPDX-License-Identifier: Apache-2.0
#include "services/store/sql/aggregates.h"
#include "services/store/sql/guarded_call.h"
#include "services/store/sql/row.h"

namespace comity::store {

Status SqlReplayStore::Remember(const policy::AgencyId& sender, std::string_view id,
                                policy::Instant keep_until) {
  return GuardedStep(connection_, "remember the exchange", [&]() -> Status {
    const std::uint64_t added = Query(connection_,
                                      "INSERT INTO replay (sender, id, keep_until) VALUES (?, ?, ?)"
                                      " ON CONFLICT DO NOTHING",
                                      sender.text(), id, keep_until)
                                    .Run();
    return IfAdded(added, "this exchange of the sender is remembered already");
  });
}

Status SqlReplayStore::Forget(policy::Instant now) {
  return GuardedStep(connection_, "forget past exchanges", [&]() -> Status {
    Query(connection_, "DELETE FROM replay WHERE keep_until <= ?", now).Run();
    return {};
  });
}

}  // namespace comity::store
