// SPDX-License-Identifier: Apache-2.0
#include "services/store/sql/bound_write.h"
#include "services/store/sql/guarded_call.h"
#include "services/store/sql/retention_store.h"
#include "services/store/sql/row.h"

namespace comity::store {
namespace {

constexpr int kMostTold = 2;

Result<HoldRecord> ReadHold(const Query& row) {
  HoldRecord hold;
  hold.number = row.Unsigned(0);
  hold.record_class = row.Text(1);
  hold.reference = row.Text(2);
  hold.reason = row.Text(3);
  COMITY_ASSIGN_OR_RETURN(hold.held_by, ReadId<policy::PersonId>(row, 4));
  COMITY_ASSIGN_OR_RETURN(hold.approved_by, ReadId<policy::PersonId>(row, 5));
  hold.held_at = row.Time(6);
  hold.review_by = row.Time(7);
  hold.told = static_cast<int>(row.Integer(8));
  if (hold.told < 0 || hold.told > kMostTold) {
    return Fail(ErrorCode::kCorrupt, "a stored hold was told of an impossible number of times");
  }
  return hold;
}

}  // namespace

Result<bool> SqlRetentionStore::IsHeld(policy::RetentionClass record_class,
                                       std::string_view reference) const {
  return GuardedStep(connection_, "look for a hold", [&]() -> Result<bool> {
    COMITY_RETURN_IF_ERROR(CheckBound(connection_, BoundTable::kRetentionHold));
    Query row(connection_,
              "SELECT 1 FROM retention_hold WHERE released_at IS NULL AND record_class = ?"
              " AND reference IN (?, '*')",
              policy::Name(record_class), reference);
    return row.Next();
  });
}

Result<std::uint64_t> SqlRetentionStore::AddHold(const HoldRecord& hold) {
  return GuardedStep(connection_, "store the hold", [&]() -> Result<std::uint64_t> {
    return WriteBound(connection_, BoundTable::kRetentionHold, [&]() -> Result<std::uint64_t> {
      Query row(connection_,
                "INSERT INTO retention_hold (record_class, reference, reason, held_by, approved_by,"
                " held_at, review_by, told) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
                " ON CONFLICT DO NOTHING RETURNING number",
                hold.record_class, hold.reference, hold.reason, hold.held_by.text(),
                hold.approved_by.text(), hold.held_at, hold.review_by, std::int64_t{hold.told});
      if (!row.Next()) return Fail(ErrorCode::kConflict, "the same is held already");
      const std::uint64_t number = row.Unsigned(0);
      while (row.Next()) continue;  // a statement with RETURNING is done after its last row
      return number;
    });
  });
}

Status SqlRetentionStore::ChangeHold(const HoldRecord& hold) {
  return GuardedStep(connection_, "change the hold", [&]() -> Status {
    return WriteBound(connection_, BoundTable::kRetentionHold, [&]() -> Status {
      COMITY_ASSIGN_OR_RETURN(const std::int64_t number, ToStored(hold.number));
      const std::uint64_t changed =
          Query(connection_,
                "UPDATE retention_hold SET review_by = ?, told = ?, released_at = ?"
                " WHERE number = ? AND released_at IS NULL",
                hold.review_by, std::int64_t{hold.told}, hold.released_at, number)
              .Run();
      if (changed == 1) return {};
      return Fail(ErrorCode::kNotFound, "there is no such hold, or it was released");
    });
  });
}

Result<std::vector<HoldRecord>> SqlRetentionStore::Holds() const {
  using Holds = std::vector<HoldRecord>;
  return GuardedStep(connection_, "read the holds", [&]() -> Result<Holds> {
    COMITY_RETURN_IF_ERROR(CheckBound(connection_, BoundTable::kRetentionHold));
    Holds holds;
    Query row(connection_,
              "SELECT number, record_class, reference, reason, held_by, approved_by, held_at,"
              " review_by, told FROM retention_hold WHERE released_at IS NULL ORDER BY number");
    while (row.Next()) {
      COMITY_ASSIGN_OR_RETURN(auto hold, ReadHold(row));
      holds.push_back(std::move(hold));
    }
    return holds;
  });
}

}  // namespace comity::store
