// SPDX-License-Identifier: Apache-2.0
#include "policy/model/instant.h"
#include "services/store/retention_store.h"
#include "services/store/sql/aggregates.h"
#include "services/store/sql/guarded_call.h"
#include "services/store/sql/row.h"

namespace comity::store {
namespace {

// What counts as used when nobody knows what was: above every limit, and still a number of the log.
constexpr std::uint64_t kUnknown = std::uint64_t{1} << 52U;

// A node that was put back from a backup has forgotten what was counted since, up to and on the day
// on which it was confirmed.
bool IsForgotten(Connection& connection, std::string_view day) {
  Query row(connection, "SELECT state, confirmed_at FROM restoration WHERE state IN (1, 2, 3)");
  if (!row.Next()) return false;
  const bool confirmed = row.Integer(0) == static_cast<std::int64_t>(RestorationState::kConfirmed);
  return !confirmed || day <= policy::UtcDay(row.Time(1));
}

}  // namespace

Result<std::uint64_t> SqlCapacityStore::Reserved(const Key& key) const {
  return GuardedStep(connection_, "read the capacity", [&]() -> Result<std::uint64_t> {
    if (IsForgotten(connection_, key.day)) return kUnknown;
    Query row(connection_,
              "SELECT reserved FROM capacity"
              " WHERE agreement = ? AND clause = ? AND requester = ? AND day = ? AND subject = ?",
              key.agreement.text(), key.clause, key.requester.text(), key.day, key.subject);
    return row.Next() ? row.Unsigned(0) : 0;
  });
}

Result<std::uint64_t> SqlCapacityStore::Reserve(const Key& key, std::uint64_t amount) {
  return GuardedStep(connection_, "reserve capacity", [&]() -> Result<std::uint64_t> {
    COMITY_ASSIGN_OR_RETURN(const std::uint64_t reserved, Reserved(key));
    // No overflow: both are at most 2^63 - 1.
    COMITY_RETURN_IF_ERROR(ToStored(amount));
    COMITY_ASSIGN_OR_RETURN(const std::int64_t total, ToStored(reserved + amount));
    Query(connection_,
          "INSERT INTO capacity (agreement, clause, requester, day, subject, reserved)"
          " VALUES (?, ?, ?, ?, ?, ?)"
          " ON CONFLICT (agreement, clause, requester, day, subject) DO UPDATE SET"
          " reserved = excluded.reserved",
          key.agreement.text(), key.clause, key.requester.text(), key.day, key.subject, total)
        .Run();
    return reserved + amount;
  });
}

Status SqlCapacityStore::Forget(std::string_view day) {
  return GuardedStep(connection_, "drop old capacity counters", [&]() -> Status {
    Query(connection_, "DELETE FROM capacity WHERE day < ?", day).Run();
    return {};
  });
}

}  // namespace comity::store
