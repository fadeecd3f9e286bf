// SPDX-License-Identifier: Apache-2.0
#include "services/store/sqlite/aggregates.h"
#include "services/store/sqlite/guarded_call.h"
#include "services/store/sqlite/row.h"

namespace comity::store {

Result<std::uint64_t> SqliteCapacityStore::Reserved(const Key& key) const {
  return GuardedStep(connection_, "read the capacity", [&]() -> Result<std::uint64_t> {
    Query row(connection_,
              "SELECT reserved FROM capacity"
              " WHERE agreement = ? AND clause = ? AND requester = ? AND day = ?",
              key.agreement.text(), key.clause, key.requester.text(), key.day);
    return row.Next() ? row.Unsigned(0) : 0;
  });
}

Result<std::uint64_t> SqliteCapacityStore::Reserve(const Key& key, std::uint64_t amount) {
  return GuardedStep(connection_, "reserve capacity", [&]() -> Result<std::uint64_t> {
    COMITY_ASSIGN_OR_RETURN(const std::uint64_t reserved, Reserved(key));
    // No overflow: both are at most 2^63 - 1.
    COMITY_RETURN_IF_ERROR(ToStored(amount));
    COMITY_ASSIGN_OR_RETURN(const std::int64_t total, ToStored(reserved + amount));
    Query(connection_,
          "INSERT INTO capacity (agreement, clause, requester, day, reserved)"
          " VALUES (?, ?, ?, ?, ?)"
          " ON CONFLICT (agreement, clause, requester, day) DO UPDATE SET"
          " reserved = excluded.reserved",
          key.agreement.text(), key.clause, key.requester.text(), key.day, total)
        .Run();
    return reserved + amount;
  });
}

}  // namespace comity::store
