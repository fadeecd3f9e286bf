// SPDX-License-Identifier: Apache-2.0
#include "services/store/sql/holding_store.h"

#include <utility>

#include "services/store/sql/guarded_call.h"
#include "services/store/sql/row.h"

namespace comity::store {
namespace {

// Reads the columns in the order in which each SELECT of this file names them.
Result<HoldingRecord> ReadHolding(const Query& row) {
  HoldingRecord holding;
  COMITY_ASSIGN_OR_RETURN(holding.list, ReadId<policy::WatchlistId>(row, 0));
  holding.reference = row.Text(1);
  COMITY_ASSIGN_OR_RETURN(holding.partner, ReadId<policy::AgencyId>(row, 2));
  COMITY_ASSIGN_OR_RETURN(holding.agreement, ReadId<policy::AgreementId>(row, 3));
  COMITY_ASSIGN_OR_RETURN(holding.version, ReadUint32(row, 4));
  COMITY_ASSIGN_OR_RETURN(holding.released, ReadUint32(row, 5));
  holding.first_told_at = row.Time(6);
  holding.told_at = row.Time(7);
  holding.held_until = row.Time(8);
  holding.times = row.Unsigned(9);
  holding.change = row.Text(10);
  holding.message = row.Unsigned(11);
  return holding;
}

Result<std::vector<HoldingRecord>> ReadHoldings(Query& row) {
  std::vector<HoldingRecord> holdings;
  while (row.Next()) {
    COMITY_ASSIGN_OR_RETURN(auto holding, ReadHolding(row));
    holdings.push_back(std::move(holding));
  }
  return holdings;
}

Result<DeletionRecord> ReadDeletion(const Query& row) {
  DeletionRecord deletion;
  COMITY_ASSIGN_OR_RETURN(deletion.agreement, ReadId<policy::AgreementId>(row, 0));
  COMITY_ASSIGN_OR_RETURN(deletion.version, ReadUint32(row, 1));
  COMITY_ASSIGN_OR_RETURN(deletion.holder, ReadId<policy::AgencyId>(row, 2));
  deletion.ordered_at = row.Time(3);
  deletion.due_by = row.Time(4);
  deletion.message = row.Unsigned(5);
  if (row.Integer(6) != 0) deletion.done_at = row.Time(6);
  deletion.erased = row.Unsigned(7);
  return deletion;
}

}  // namespace

Status SqlHoldingStore::Told(const HoldingRecord& holding, std::string_view answer) {
  return GuardedStep(connection_, "remember who was told", [&]() -> Status {
    Query(connection_,
          "INSERT INTO holding (list, reference, partner, agreement, version, released,"
          " first_told_at, told_at, held_until, times, change, message)"
          " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 1, '', 0)"
          " ON CONFLICT (list, reference, partner, agreement) DO UPDATE SET"
          " version = excluded.version, released = holding.released | excluded.released,"
          " told_at = CASE WHEN excluded.told_at > holding.told_at THEN excluded.told_at"
          " ELSE holding.told_at END,"
          " held_until = CASE WHEN excluded.held_until > holding.held_until"
          " THEN excluded.held_until ELSE holding.held_until END, times = holding.times + 1",
          holding.list.text(), holding.reference, holding.partner.text(), holding.agreement.text(),
          holding.version, holding.released, holding.told_at, holding.told_at, holding.held_until)
        .Run();
    if (holding.Knows(HoldingRecord::kReference)) return {};
    Query(connection_,
          "INSERT INTO holding_answer (list, reference, partner, answer) VALUES (?, ?, ?, ?)"
          " ON CONFLICT DO NOTHING",
          holding.list.text(), holding.reference, holding.partner.text(), answer)
        .Run();
    return {};
  });
}

Result<std::vector<HoldingRecord>> SqlHoldingStore::OfReference(std::string_view reference) const {
  using Holdings = std::vector<HoldingRecord>;
  return GuardedStep(connection_, "read who was told", [&]() -> Result<Holdings> {
    Query row(
        connection_,
        "SELECT list, reference, partner, agreement, version, released, first_told_at, told_at,"
        " held_until, times, change, message FROM holding WHERE reference = ?"
        " ORDER BY list, partner, agreement",
        reference);
    return ReadHoldings(row);
  });
}

Result<std::vector<HoldingRecord>> SqlHoldingStore::OfEntry(const policy::WatchlistId& list,
                                                            std::string_view reference) const {
  using Holdings = std::vector<HoldingRecord>;
  return GuardedStep(connection_, "read who was told", [&]() -> Result<Holdings> {
    Query row(
        connection_,
        "SELECT list, reference, partner, agreement, version, released, first_told_at, told_at,"
        " held_until, times, change, message FROM holding WHERE list = ? AND reference = ?"
        " ORDER BY partner, agreement",
        list.text(), reference);
    return ReadHoldings(row);
  });
}

Result<std::vector<std::string>> SqlHoldingStore::Answers(const policy::WatchlistId& list,
                                                          std::string_view reference,
                                                          const policy::AgencyId& partner) const {
  using Texts = std::vector<std::string>;
  return GuardedStep(connection_, "read the answers", [&]() -> Result<Texts> {
    Query row(connection_,
              "SELECT answer FROM holding_answer WHERE list = ? AND reference = ? AND partner = ?"
              " ORDER BY position",
              list.text(), reference, partner.text());
    Texts answers;
    while (row.Next()) answers.push_back(row.Text(0));
    return answers;
  });
}

Status SqlHoldingStore::NoteChange(const policy::WatchlistId& list, std::string_view reference,
                                   const policy::AgencyId& partner, std::string_view change,
                                   std::uint64_t message) {
  return GuardedStep(connection_, "note the change", [&]() -> Status {
    COMITY_ASSIGN_OR_RETURN(const std::int64_t number, ToStored(message));
    Query(connection_,
          "UPDATE holding SET change = ?, message = ?"
          " WHERE list = ? AND reference = ? AND partner = ?",
          change, number, list.text(), reference, partner.text())
        .Run();
    return {};
  });
}

Result<std::vector<std::string>> SqlHoldingStore::ToldOf(const policy::WatchlistId& list) const {
  using Texts = std::vector<std::string>;
  return GuardedStep(connection_, "read what partners were told of", [&]() -> Result<Texts> {
    Texts references;
    for (std::int64_t rows = kPageRows; rows == kPageRows;) {
      Query row(connection_,
                "SELECT DISTINCT reference FROM holding WHERE list = ? AND reference > ?"
                " ORDER BY reference LIMIT ?",
                list.text(), references.empty() ? std::string() : references.back(), kPageRows);
      for (rows = 0; row.Next(); ++rows) references.push_back(row.Text(0));
    }
    return references;
  });
}

Status SqlHoldingStore::PutChange(const EntryChangeRecord& change) {
  return GuardedStep(connection_, "remember the change", [&]() -> Status {
    Query(connection_,
          "INSERT INTO entry_change (list, reference, change, category, response_code, at)"
          " VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (list, reference) DO UPDATE SET"
          " change = excluded.change, category = excluded.category,"
          " response_code = excluded.response_code, at = excluded.at",
          change.list.text(), change.reference, change.change, change.category,
          change.response_code, change.at)
        .Run();
    return {};
  });
}

Result<std::optional<EntryChangeRecord>> SqlHoldingStore::LastChange(
    const policy::WatchlistId& list, std::string_view reference) const {
  using Found = std::optional<EntryChangeRecord>;
  return GuardedStep(connection_, "look for a change", [&]() -> Result<Found> {
    Query row(connection_,
              "SELECT change, category, response_code, at FROM entry_change"
              " WHERE list = ? AND reference IN (?, '') ORDER BY at DESC, reference LIMIT 1",
              list.text(), reference);
    if (!row.Next()) return Found();
    EntryChangeRecord change{
        list, std::string(reference), row.Text(0), row.Text(1), row.Text(2), row.Time(3)};
    return Found(std::move(change));
  });
}

Result<std::vector<EntryChangeRecord>> SqlHoldingStore::Untold() const {
  using Changes = std::vector<EntryChangeRecord>;
  return GuardedStep(connection_, "look for untold changes", [&]() -> Result<Changes> {
    Query row(connection_,
              "SELECT DISTINCT h.list, h.reference, CASE e.state WHEN 2 THEN 'withdrawn'"
              " ELSE 'expired' END FROM holding h JOIN watchlist_entry e ON e.list = h.list"
              " AND e.reference = h.reference WHERE e.state <> 1 AND NOT EXISTS (SELECT 1"
              " FROM entry_change c WHERE c.list = h.list AND c.reference IN (h.reference, '')"
              " AND c.change IN ('withdrawn', 'expired')) ORDER BY h.list, h.reference");
    Changes changes;
    while (row.Next()) {
      EntryChangeRecord change;
      COMITY_ASSIGN_OR_RETURN(change.list, ReadId<policy::WatchlistId>(row, 0));
      change.reference = row.Text(1);
      change.change = row.Text(2);
      changes.push_back(std::move(change));
    }
    return changes;
  });
}

Result<std::uint64_t> SqlHoldingStore::ForgetUnder(const policy::AgreementId& agreement,
                                                   std::uint32_t version,
                                                   const policy::AgencyId& partner) {
  return GuardedStep(connection_, "forget who was told", [&]() -> Result<std::uint64_t> {
    const std::uint64_t forgotten =
        Query(connection_,
              "DELETE FROM holding WHERE partner = ? AND agreement = ? AND version <= ?",
              partner.text(), agreement.text(), version)
            .Run();
    Query(connection_,
          "DELETE FROM holding_answer WHERE partner = ? AND NOT EXISTS (SELECT 1 FROM holding"
          " WHERE holding.list = holding_answer.list AND holding.partner = holding_answer.partner"
          " AND holding.reference = holding_answer.reference)",
          partner.text())
        .Run();
    return forgotten;
  });
}

Status SqlHoldingStore::NoteWithdrawn(const PartnerWithdrawal& withdrawal) {
  return GuardedStep(connection_, "note the withdrawal", [&]() -> Status {
    Query(connection_,
          "INSERT INTO partner_withdrawal (holder, subject, at, received_at) VALUES (?, ?, ?, ?)"
          " ON CONFLICT (holder, subject) DO UPDATE SET"
          " at = CASE WHEN excluded.at > partner_withdrawal.at THEN excluded.at"
          " ELSE partner_withdrawal.at END,"
          " received_at = CASE WHEN excluded.received_at > partner_withdrawal.received_at"
          " THEN excluded.received_at ELSE partner_withdrawal.received_at END",
          withdrawal.holder.text(), withdrawal.subject, withdrawal.at, withdrawal.received_at)
        .Run();
    return {};
  });
}

Result<std::optional<policy::Instant>> SqlHoldingStore::WithdrawnAt(
    const policy::AgencyId& holder, std::string_view subject) const {
  using Found = std::optional<policy::Instant>;
  return GuardedStep(connection_, "look for a withdrawal", [&]() -> Result<Found> {
    Query row(connection_, "SELECT at FROM partner_withdrawal WHERE holder = ? AND subject = ?",
              holder.text(), subject);
    return row.Next() ? Found(row.Time(0)) : Found();
  });
}

Status SqlHoldingStore::ForgetWithdrawn(policy::Instant before) {
  return GuardedStep(connection_, "forget past withdrawals", [&]() -> Status {
    Query(connection_, "DELETE FROM partner_withdrawal WHERE received_at < ?", before).Run();
    return {};
  });
}

Status SqlHoldingStore::AddDeletion(const DeletionRecord& deletion) {
  return GuardedStep(connection_, "store the deletion order", [&]() -> Status {
    COMITY_ASSIGN_OR_RETURN(const std::int64_t number, ToStored(deletion.message));
    const std::uint64_t added =
        Query(connection_,
              "INSERT INTO deletion (agreement, version, holder, ordered_at, due_by, message,"
              " done_at, erased) VALUES (?, ?, ?, ?, ?, ?, NULL, 0) ON CONFLICT DO NOTHING",
              deletion.agreement.text(), deletion.version, deletion.holder.text(),
              deletion.ordered_at, deletion.due_by, number)
            .Run();
    return IfAdded(added, "a deletion of this agreement's version and holder is stored already");
  });
}

Status SqlHoldingStore::FinishDeletion(const DeletionRecord& deletion) {
  return GuardedStep(connection_, "finish the deletion", [&]() -> Status {
    if (!deletion.done_at) return Fail(ErrorCode::kInternal, "a deletion is done at a time");
    COMITY_ASSIGN_OR_RETURN(const std::int64_t erased, ToStored(deletion.erased));
    const std::uint64_t changed =
        Query(connection_,
              "UPDATE deletion SET done_at = ?, erased = ?"
              " WHERE agreement = ? AND version = ? AND holder = ? AND done_at IS NULL",
              *deletion.done_at, erased, deletion.agreement.text(), deletion.version,
              deletion.holder.text())
            .Run();
    if (changed == 1) return {};
    Query row(connection_,
              "SELECT 1 FROM deletion WHERE agreement = ? AND version = ? AND holder = ?",
              deletion.agreement.text(), deletion.version, deletion.holder.text());
    if (row.Next()) return Fail(ErrorCode::kConflict, "the deletion is done already");
    return Fail(ErrorCode::kNotFound, "there is no such deletion");
  });
}

Result<std::vector<DeletionRecord>> SqlHoldingStore::Deletions() const {
  using Deletions = std::vector<DeletionRecord>;
  return GuardedStep(connection_, "read the deletions", [&]() -> Result<Deletions> {
    Deletions deletions;
    Query row(connection_,
              "SELECT agreement, version, holder, ordered_at, due_by, message,"
              " coalesce(done_at, 0), erased FROM deletion ORDER BY position");
    while (row.Next()) {
      COMITY_ASSIGN_OR_RETURN(auto deletion, ReadDeletion(row));
      deletions.push_back(std::move(deletion));
    }
    return deletions;
  });
}

}  // namespace comity::store
