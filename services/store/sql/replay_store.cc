// SPDX-License-Identifier: Apache-2.0
#include "services/store/sql/aggregates.h"
#include "services/store/sql/guarded_call.h"
#include "services/store/sql/query.h"

namespace comity::store {

Status SqlReplayStore::Remember(const policy::AgencyId& sender, std::string_view id,
                                policy::Instant keep_until) {
  return GuardedStep(connection_, "remember the exchange", [&]() -> Status {
    Query(connection_, "INSERT INTO replay (sender, id, keep_until) VALUES (?, ?, ?)",
          sender.text(), id, keep_until)
        .Run();
    return {};
  });
}

Status SqlReplayStore::Forget(policy::Instant now) {
  return GuardedStep(connection_, "forget past exchanges", [&]() -> Status {
    Query(connection_, "DELETE FROM replay WHERE keep_until <= ?", now).Run();
    return {};
  });
}

}  // namespace comity::store
