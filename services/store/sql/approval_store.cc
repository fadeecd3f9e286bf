// SPDX-License-Identifier: Apache-2.0
#include "services/store/sql/approval_store.h"

#include "services/store/sql/guarded_call.h"
#include "services/store/sql/row.h"

namespace comity::store {
namespace {

// In the order in which ReadApproval takes them.
#define COMITY_APPROVAL_COLUMNS                                                                  \
  "id, act, subject, content, sha256, unsalted, words, state, proposed_by, proposed_at,"         \
  " expires_at, decided_by, decided_at, reason, decision, review_by, overdue_told, reviewed_by," \
  " reviewed_at, review, verdict, vouched"

std::int64_t Number(ApprovalState state) {
  return static_cast<std::int64_t>(state);
}

std::string Text(const std::optional<policy::PersonId>& person) {
  return person ? person->text() : std::string();
}

// Nobody: the empty text.
Result<std::optional<policy::PersonId>> ReadSomebody(const Query& row, int column) {
  if (row.Text(column).empty()) return std::optional<policy::PersonId>();
  COMITY_ASSIGN_OR_RETURN(auto person, ReadId<policy::PersonId>(row, column));
  return std::optional<policy::PersonId>(std::move(person));
}

Result<ApprovalRecord> ReadApproval(const Query& row) {
  using enum ApprovalState;
  ApprovalRecord approval;
  approval.id = row.Text(0);
  approval.act = row.Text(1);
  approval.subject = row.Text(2);
  approval.content = AsText(row.Blob(3));
  COMITY_ASSIGN_OR_RETURN(approval.sha256, ReadDigest(row, 4));
  COMITY_ASSIGN_OR_RETURN(approval.unsalted, ReadDigest(row, 5));
  approval.words = row.Text(6);
  COMITY_ASSIGN_OR_RETURN(
      approval.state, ReadEnum<ApprovalState>(
                          row, 7, {kPending, kApproved, kRejected, kExpired, kUrgent, kReviewed}));
  COMITY_ASSIGN_OR_RETURN(approval.proposed_by, ReadId<policy::PersonId>(row, 8));
  approval.proposed_at = row.Time(9);
  approval.expires_at = row.Time(10);
  COMITY_ASSIGN_OR_RETURN(approval.decided_by, ReadSomebody(row, 11));
  approval.decided_at = row.Time(12);
  approval.reason = row.Text(13);
  approval.decision = row.Text(14);
  approval.review_by = row.Time(15);
  approval.overdue_told = row.Integer(16) != 0;
  COMITY_ASSIGN_OR_RETURN(approval.reviewed_by, ReadSomebody(row, 17));
  approval.reviewed_at = row.Time(18);
  approval.review = row.Text(19);
  approval.verdict = row.Text(20);
  approval.vouched = row.Blob(21);
  return approval;
}

// Of a row that somebody changed so that it cannot be read. Nobody vouches for it.
ApprovalRecord ReadWhatIsLeft(const Query& row) {
  using enum ApprovalState;
  ApprovalRecord approval;
  approval.id = row.Text(0);
  approval.act = row.Text(1);
  approval.subject = row.Text(2);
  const auto state = ReadEnum<ApprovalState>(row, 7, {kPending, kUrgent});
  approval.state = state.value_or(kExpired);
  approval.proposed_at = row.Time(9);
  approval.expires_at = row.Time(10);
  if (auto decided_by = ReadSomebody(row, 11)) approval.decided_by = *std::move(decided_by);
  approval.decided_at = row.Time(12);
  approval.reason = row.Text(13);
  approval.decision = row.Text(14);
  approval.review_by = row.Time(15);
  return approval;
}

// One that cannot be read keeps no other from being seen.
Result<std::vector<ApprovalRecord>> ReadApprovals(Query& row) {
  std::vector<ApprovalRecord> approvals;
  while (row.Next()) {
    auto approval = ReadApproval(row);
    approvals.push_back(approval ? *std::move(approval) : ReadWhatIsLeft(row));
  }
  return approvals;
}

Result<ApprovalRecord> Read(Connection& connection, std::string_view id) {
  Query row(connection, "SELECT " COMITY_APPROVAL_COLUMNS " FROM approval WHERE id = ?", id);
  if (!row.Next()) return Fail(ErrorCode::kNotFound, "there is no such approval");
  return ReadApproval(row);
}

}  // namespace

Status SqlApprovalStore::Add(const ApprovalRecord& approval) {
  return GuardedStep(connection_, "store the approval", [&]() -> Status {
    const std::uint64_t added =
        Query(connection_,
              "INSERT INTO approval (" COMITY_APPROVAL_COLUMNS
              ")"
              " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
              " ON CONFLICT DO NOTHING",
              approval.id, approval.act, approval.subject, AsBytes(approval.content),
              approval.sha256.view(), approval.unsalted.view(), approval.words,
              Number(approval.state), approval.proposed_by.text(), approval.proposed_at,
              approval.expires_at, Text(approval.decided_by), approval.decided_at, approval.reason,
              approval.decision, approval.review_by, std::int64_t{approval.overdue_told},
              Text(approval.reviewed_by), approval.reviewed_at, approval.review, approval.verdict,
              ByteView(approval.vouched))
            .Run();
    return IfAdded(added, "the id is taken, or an act of the same content waits already");
  });
}

Status SqlApprovalStore::Change(const ApprovalRecord& approval, ApprovalState from) {
  return GuardedStep(connection_, "change the approval", [&]() -> Status {
    const std::uint64_t changed =
        Query(connection_,
              "UPDATE approval SET state = ?, decided_by = ?, decided_at = ?, reason = ?,"
              " decision = ?, review_by = ?, overdue_told = ?, reviewed_by = ?, reviewed_at = ?,"
              " review = ?, verdict = ? WHERE id = ? AND state = ?",
              Number(approval.state), Text(approval.decided_by), approval.decided_at,
              approval.reason, approval.decision, approval.review_by,
              std::int64_t{approval.overdue_told}, Text(approval.reviewed_by), approval.reviewed_at,
              approval.review, approval.verdict, approval.id, Number(from))
            .Run();
    if (changed == 1) return {};
    COMITY_RETURN_IF_ERROR(Read(connection_, approval.id));
    return Fail(ErrorCode::kConflict, "the approval stands in another state");
  });
}

Result<ApprovalRecord> SqlApprovalStore::Get(std::string_view id) const {
  return GuardedStep(connection_, "read the approval",
                     [&]() -> Result<ApprovalRecord> { return Read(connection_, id); });
}

Result<std::vector<ApprovalRecord>> SqlApprovalStore::List(bool open, std::uint32_t limit) const {
  using Approvals = std::vector<ApprovalRecord>;
  return GuardedStep(connection_, "read the approvals", [&]() -> Result<Approvals> {
    Query row(connection_,
              open ? "SELECT " COMITY_APPROVAL_COLUMNS
                     " FROM approval WHERE state IN (1, 5) ORDER BY position DESC LIMIT ?"
                   : "SELECT " COMITY_APPROVAL_COLUMNS
                     " FROM approval ORDER BY position DESC LIMIT ?",
              limit);
    return ReadApprovals(row);
  });
}

Result<std::uint64_t> SqlApprovalStore::CountPending() const {
  return GuardedStep(connection_, "count the approvals", [&]() -> Result<std::uint64_t> {
    Query row(connection_, "SELECT count(*) FROM approval WHERE state IN (1, 5) AND state = 1");
    row.Next();
    return row.Unsigned(0);
  });
}

Result<std::uint64_t> SqlApprovalStore::CountPendingOf(const policy::PersonId& proposer) const {
  return GuardedStep(connection_, "count a person's approvals", [&]() -> Result<std::uint64_t> {
    Query row(connection_,
              "SELECT count(*) FROM approval WHERE state IN (1, 5) AND state = 1"
              " AND proposed_by = ?",
              proposer.text());
    row.Next();
    return row.Unsigned(0);
  });
}

Result<std::vector<ApprovalRecord>> SqlApprovalStore::PendingOf(
    const policy::PersonId& proposer) const {
  using Approvals = std::vector<ApprovalRecord>;
  return GuardedStep(connection_, "read a person's approvals", [&]() -> Result<Approvals> {
    Query row(connection_,
              "SELECT " COMITY_APPROVAL_COLUMNS
              " FROM approval WHERE state IN (1, 5) AND state = 1"
              " AND proposed_by = ? ORDER BY position",
              proposer.text());
    return ReadApprovals(row);
  });
}

Result<std::vector<ApprovalRecord>> SqlApprovalStore::Due(policy::Instant now,
                                                          std::uint32_t limit) const {
  using Approvals = std::vector<ApprovalRecord>;
  return GuardedStep(connection_, "read due approvals", [&]() -> Result<Approvals> {
    Query row(connection_,
              "SELECT " COMITY_APPROVAL_COLUMNS
              " FROM approval WHERE state IN (1, 5) AND"
              " ((state = 1 AND expires_at <= ?) OR"
              " (state = 5 AND overdue_told = 0 AND review_by <= ?))"
              " ORDER BY position LIMIT ?",
              now, now, limit);
    return ReadApprovals(row);
  });
}

}  // namespace comity::store
