// SPDX-License-Identifier: Apache-2.0
#include "services/store/sql/notice_store.h"

#include "services/store/sql/guarded_call.h"
#include "services/store/sql/role_list.h"
#include "services/store/sql/row.h"

namespace comity::store {
namespace {

// That ',role,' can be taken out of the bound text.
#define COMITY_AMONG_ROLES "replace(CAST(? AS TEXT), ',' || role || ',', '') <> CAST(? AS TEXT)"

// With ',' around each: a role is among them when taking ',role,' out of the text changes it.
std::string Needles(const std::vector<std::string>& roles) {
  return "," + JoinRoles(roles) + ",";
}

Result<std::int64_t> Insert(Connection& connection, const NoticeRecord& notice) {
  Query row(connection,
            "INSERT INTO notice (kind, subject, words, at) VALUES (?, ?, ?, ?) RETURNING number",
            notice.kind, notice.subject, notice.words, notice.at);
  if (!row.Next()) return Fail(ErrorCode::kInternal, "the notice has no number");
  const std::int64_t number = row.Integer(0);
  while (row.Next()) continue;  // a statement with RETURNING is done after its last row
  return number;
}

Status ReadAudience(Connection& connection, NoticeRecord& notice) {
  COMITY_ASSIGN_OR_RETURN(const std::int64_t number, ToStored(notice.number));
  Query row(connection,
            "SELECT role, acknowledged_by, acknowledged_at FROM notice_audience WHERE number = ?"
            " ORDER BY role",
            number);
  while (row.Next()) {
    AudienceRecord audience;
    audience.role = row.Text(0);
    if (!row.Text(1).empty()) {
      COMITY_ASSIGN_OR_RETURN(audience.acknowledged_by, ReadId<policy::PersonId>(row, 1));
    }
    audience.acknowledged_at = row.Time(2);
    notice.audience.push_back(std::move(audience));
  }
  return {};
}

}  // namespace

Result<std::uint64_t> SqlNoticeStore::Add(const NoticeRecord& notice) {
  return GuardedStep(connection_, "store the notice", [&]() -> Result<std::uint64_t> {
    COMITY_ASSIGN_OR_RETURN(const std::int64_t number, Insert(connection_, notice));
    for (const AudienceRecord& audience : notice.audience) {
      Query(connection_,
            "INSERT INTO notice_audience (number, role, acknowledged_by, acknowledged_at)"
            " VALUES (?, ?, '', 0)",
            number, audience.role)
          .Run();
    }
    return static_cast<std::uint64_t>(number);
  });
}

Status SqlNoticeStore::Acknowledge(std::uint64_t number, const std::vector<std::string>& roles,
                                   const policy::PersonId& by, policy::Instant at) {
  return GuardedStep(connection_, "acknowledge the notice", [&]() -> Status {
    COMITY_ASSIGN_OR_RETURN(const std::int64_t stored, ToStored(number));
    const std::string needles = Needles(roles);
    const std::uint64_t changed =
        Query(connection_,
              "UPDATE notice_audience SET acknowledged_by = ?, acknowledged_at = ? WHERE number = ?"
              " AND acknowledged_by = '' AND " COMITY_AMONG_ROLES,
              by.text(), at, stored, needles, needles)
            .Run();
    if (changed > 0) return {};
    Query row(connection_, "SELECT 1 FROM notice_audience WHERE number = ? AND " COMITY_AMONG_ROLES,
              stored, needles, needles);
    if (!row.Next()) return Fail(ErrorCode::kNotFound, "there is no such notice for these roles");
    return Fail(ErrorCode::kConflict, "the notice is acknowledged already");
  });
}

Result<std::vector<NoticeRecord>> SqlNoticeStore::List(const std::vector<std::string>& roles,
                                                       std::uint64_t after, bool open,
                                                       std::uint32_t limit) const {
  using Notices = std::vector<NoticeRecord>;
  return GuardedStep(connection_, "read the notices", [&]() -> Result<Notices> {
    COMITY_ASSIGN_OR_RETURN(const std::int64_t above, ToStored(after));
    const std::string needles = Needles(roles);
    Query row(connection_,
              open ? "SELECT number, kind, subject, words, at FROM notice WHERE number IN (SELECT"
                     " number FROM notice_audience WHERE number > ? AND acknowledged_by = '' AND"
                     " " COMITY_AMONG_ROLES ") ORDER BY number LIMIT ?"
                   : "SELECT number, kind, subject, words, at FROM notice WHERE number IN (SELECT"
                     " number FROM notice_audience WHERE number > ? AND"
                     " " COMITY_AMONG_ROLES ") ORDER BY number LIMIT ?",
              above, needles, needles, limit);
    Notices notices;
    while (row.Next()) {
      NoticeRecord notice;
      notice.number = row.Unsigned(0);
      notice.kind = row.Text(1);
      notice.subject = row.Text(2);
      notice.words = row.Text(3);
      notice.at = row.Time(4);
      COMITY_RETURN_IF_ERROR(ReadAudience(connection_, notice));
      notices.push_back(std::move(notice));
    }
    return notices;
  });
}

#undef COMITY_AMONG_ROLES

}  // namespace comity::store
