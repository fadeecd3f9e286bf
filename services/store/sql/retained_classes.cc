// SPDX-License-Identifier: Apache-2.0
#include "services/store/sql/retained_classes.h"

#include <fmt/format.h>

#include <cstdint>
#include <map>
#include <string_view>

#include "services/store/records.h"

namespace comity::store {
namespace {

using policy::RetentionClass;

// The scalar max() and min() of SQLite are greatest() and least() in PostgreSQL. What may be NULL
// comes first: a comparison with NULL takes the second. The indexes of schema 15 are over such
// texts.
std::string Later(std::string_view first, std::string_view second) {
  return fmt::format("CASE WHEN {0} > {1} THEN {0} ELSE {1} END", first, second);
}
std::string Earlier(std::string_view first, std::string_view second) {
  return fmt::format("CASE WHEN {0} < {1} THEN {0} ELSE {1} END", first, second);
}

// One table whose rows have something to erase while `content` holds.
struct Table {
  std::string from;
  std::string reference;  // with the table's name where retention_hold has such a column too
  std::string since;
  std::string content = "1 = 1";
  std::string due = "1 = 1";  // what else must hold for it to be due
  std::string key{};          // a number, unique in the table
  std::string form{};         // of the reference, see RetainedErasure
  std::string named{};        // the row that the reference names, by an index
  std::string erase{};        // the SET list; empty: the row goes as a whole
};

std::string Held(RetentionClass record_class, std::string_view reference) {
  return fmt::format(
      "EXISTS (SELECT 1 FROM retention_hold h WHERE h.released_at IS NULL AND h.record_class = "
      "'{}' AND h.reference IN ({}, '*'))",
      policy::Name(record_class), reference);
}

RetainedSql Build(RetentionClass record_class, const Table& table) {
  const std::string held = Held(record_class, table.reference);
  RetainedSql sql;
  sql.due = NamedSql(fmt::format(
      "SELECT {}, {} FROM {} WHERE {} AND {} <= :until AND NOT {} AND {} ORDER BY {} LIMIT :limit",
      table.reference, table.since, table.from, table.content, table.since, held, table.due,
      table.since));
  sql.count = fmt::format(
      "SELECT count(*), count(*) FILTER (WHERE held), min(since) FILTER (WHERE NOT held)"
      " FROM (SELECT {} AS since, {} AS held FROM {} WHERE {}) AS kept",
      table.since, held, table.from, table.content);
  if (!table.key.empty()) {
    sql.pages.push_back(
        {fmt::format("SELECT {0}, {1} FROM {2} WHERE {3} AND {1} > ? ORDER BY {2}.{1} LIMIT ?",
                     table.reference, table.key, table.from, table.content),
         {std::int64_t{-1}}});
  }
  const std::string act = table.erase.empty()
                              ? fmt::format("DELETE FROM {}", table.from)
                              : fmt::format("UPDATE {} SET {}", table.from, table.erase);
  sql.erasures.push_back(
      {table.form, NamedSql(fmt::format("{} WHERE {} AND {}", act, table.named, table.content))});
  return sql;
}

RetainedSql Alerts() {
  return Build(RetentionClass::kAlert,
               {.from = "alert",
                .reference = "id",
                .since = "expires_at",
                .content = "(wrapped_key <> x'' OR sealed <> x'')",
                .key = "position",
                .form = ":id",
                .named = "id = :id",
                .erase = "wrapped_key = x'', sealed = x'', reference = ''"});
}

static_assert(static_cast<int>(EntryState::kActive) == 1 &&
              static_cast<int>(EntryState::kWithdrawn) == 2 &&
              static_cast<int>(EntryState::kExpired) == 3 &&
              static_cast<int>(ListState::kDeleted) == 4);
constexpr std::string_view kEraseEntry =
    "state = CASE WHEN state <> 1 THEN state WHEN expires_at <= :at THEN 3 ELSE 2 END,"
    " ended_at = coalesce(ended_at, :at),"
    " wrapped_key = x'', sealed_fields = x'', sealed_template = x''";

// An entry that was kept by a hold goes when it had ended; one beside it, whose list's key the hold
// keeps, when its list was to be deleted. Lists that nothing holds are deleted as a whole.
RetainedSql Entries() {
  constexpr std::string_view kListWasToGo =
      "(SELECT w.delete_by FROM watchlist w"
      " WHERE w.reference = watchlist_entry.list AND w.wrapped_key <> x'' AND EXISTS (SELECT 1 FROM"
      " retention_hold l WHERE l.released_at IS NULL AND l.record_class = 'entry' AND"
      " substr(l.reference, 1, length(w.reference) + 1) = w.reference || '/'))";
  return Build(RetentionClass::kEntry,
               {.from = "watchlist_entry",
                .reference = "watchlist_entry.list || '/' || watchlist_entry.reference",
                .since = Earlier(kListWasToGo, Earlier("ended_at", "expires_at")),
                .content = "wrapped_key <> x''",
                .key = "position",
                .form = ":list/:reference",
                .named = "list = :list AND reference = :reference",
                .erase = std::string(kEraseEntry)});
}

// A list has no date of its own until it is closed. Its entries go with it.
RetainedSql Lists() {
  RetainedSql sql =
      Build(RetentionClass::kWatchlist,
            {.from = "watchlist",
             .reference = "watchlist.reference",
             .since = "coalesce(delete_by, 9223372036854775807)",
             .content = "wrapped_key <> x''",
             // The key of a held entry is wrapped under the list's.
             .due = "NOT EXISTS (SELECT 1 FROM retention_hold l WHERE l.released_at IS NULL"
                    " AND l.record_class = 'entry' AND (l.reference = '*' OR substr(l.reference, 1,"
                    " length(watchlist.reference) + 1) = watchlist.reference || '/'))",
             .key = "position",
             .form = ":list",
             .named = "reference = :list",
             .erase = "state = 4, closed_at = coalesce(closed_at, :at), deleted_at = :at,"
                      " wrapped_key = x''"});
  sql.erasures.push_back(
      {":list", NamedSql(fmt::format("UPDATE watchlist_entry SET {} WHERE list = :list"
                                     " AND wrapped_key <> x''",
                                     kEraseEntry))});
  return sql;
}

RetainedSql Payloads() {
  return Build(RetentionClass::kAuditPayload, {.from = "audit_payload",
                                               .reference = "CAST(leaf_index AS TEXT)",
                                               .since = "erase_at",
                                               .content = "wrapped_key <> x'' AND erase_at > 0",
                                               .key = "leaf_index",
                                               .form = ":number",
                                               .named = "leaf_index = :number",
                                               .erase = "wrapped_key = x'', sealed = x''"});
}

RetainedSql Approvals() {
  return Build(
      RetentionClass::kJustification,
      {.from = "approval",
       .reference = "id",
       .since = Later("decided_at", "expires_at"),
       .content = "content <> x'' AND state NOT IN (1, 5)",
       .key = "position",
       .form = ":id",
       .named = "id = :id",
       .erase = "content = x'', words = '', reason = '', decision = '', review = '', verdict = '',"
                " vouched = x''"});
}

RetainedSql Messages() {
  return Build(RetentionClass::kMessage,
               {.from = "outbox",
                .reference = "id",
                .since = "acknowledged_at",
                .content = "content <> x'' AND acknowledged_at IS NOT NULL",
                .key = "number",
                .form = ":id",
                .named = "id = :id",
                .erase = "content = x''"});
}

RetainedSql Notices() {
  return Build(RetentionClass::kNotice, {.from = "notice",
                                         .reference = "CAST(notice.number AS TEXT)",
                                         .since = "at",
                                         .content = "words <> ''",
                                         .key = "number",
                                         .form = ":number",
                                         .named = "number = :number",
                                         .erase = "subject = '', words = ''"});
}

// The rows of its holders refer to a deployment: they go first.
RetainedSql Deployments() {
  RetainedSql sql = Build(RetentionClass::kDeployment, {.from = "deployment",
                                                        .reference = "deployment.id",
                                                        .since = "closed_at",
                                                        .content = "closed_at > 0",
                                                        .key = "position",
                                                        .form = ":id",
                                                        .named = "id = :id"});
  sql.erasures.insert(
      sql.erasures.begin(),
      {":id", NamedSql("DELETE FROM deployment_holder WHERE deployment = :id AND EXISTS (SELECT 1"
                       " FROM deployment WHERE id = :id AND closed_at > 0)")});
  return sql;
}

// "list/partner/agreement/reference": only the last part may have a '/'. A holding goes with its
// answers, which are of the entry and the partner under whichever agreement; not if the partner was
// told anew since it was looked for.
RetainedSql Holdings() {
  const std::string form = ":list/:partner/:agreement/:reference";
  const std::string since = Later("held_until", "told_at");
  RetainedSql sql = Build(
      RetentionClass::kHolding,
      {.from = "holding",
       .reference = "holding.list || '/' || holding.partner || '/' || holding.agreement || '/' ||"
                    " holding.reference",
       .since = since,
       .form = form,
       .named = fmt::format("list = :list AND reference = :reference AND partner = :partner"
                            " AND agreement = :agreement AND {} <= :at",
                            since)});
  sql.pages.push_back(
      {"SELECT list || '/' || partner || '/' || agreement || '/' || reference, list, reference,"
       " partner, agreement FROM holding WHERE (list, reference, partner, agreement) > (?, ?, ?, ?)"
       " ORDER BY list, reference, partner, agreement LIMIT ?",
       {"", "", "", ""}});
  sql.erasures.push_back(
      {form,
       NamedSql("DELETE FROM holding_answer WHERE list = :list AND reference = :reference"
                " AND partner = :partner AND NOT EXISTS (SELECT 1 FROM holding h"
                " WHERE h.list = holding_answer.list AND h.reference = holding_answer.reference"
                " AND h.partner = holding_answer.partner)")});
  return sql;
}

// Receipts that a partner gave stand with the message, those that were given to it in the inbox.
RetainedSql Receipts() {
  constexpr std::string_view kBoth =
      "(SELECT 'sent/' || id AS reference, acknowledged_at AS since FROM outbox"
      " WHERE receipt <> x'' AND acknowledged_at IS NOT NULL AND acknowledged_at <= {0}"
      " UNION ALL SELECT 'received/' || sender || '/' || id, received_at FROM inbox"
      " WHERE receipt <> x'' AND received_at <= {0}) AS r";
  const std::string held = Held(RetentionClass::kReceipt, "r.reference");
  RetainedSql sql;
  sql.due = NamedSql(
      fmt::format("SELECT reference, since FROM {} WHERE NOT {} ORDER BY since LIMIT :limit",
                  fmt::format(kBoth, ":until"), held));
  sql.count = fmt::format(
      "SELECT count(*), count(*) FILTER (WHERE held), min(since) FILTER (WHERE NOT held)"
      " FROM (SELECT since, {} AS held FROM {}) AS kept",
      held, fmt::format(kBoth, "9223372036854775807"));
  sql.pages.push_back(
      {"SELECT 'sent/' || id, number FROM outbox WHERE receipt <> x''"
       " AND acknowledged_at IS NOT NULL AND number > ? ORDER BY number LIMIT ?",
       {std::int64_t{0}}});
  sql.pages.push_back(
      {"SELECT 'received/' || sender || '/' || id, sender, id FROM inbox"
       " WHERE receipt <> x'' AND (sender, id) > (?, ?)"
       " ORDER BY sender, id LIMIT ?",
       {"", ""}});
  sql.erasures.push_back(
      {"sent/:id", NamedSql("UPDATE outbox SET receipt = x'' WHERE id = :id AND receipt <> x''")});
  sql.erasures.push_back(
      {"received/:sender/:id", NamedSql("UPDATE inbox SET receipt = x'' WHERE sender = :sender"
                                        " AND id = :id AND receipt <> x''")});
  return sql;
}

// Of these no record has a reference: they go by age alone, all at once.
RetainedSql Counted(std::string count) {
  return {.due = {}, .count = std::move(count), .pages = {}, .erasures = {}};
}

}  // namespace

const RetainedSql* SqlOf(RetentionClass record_class) {
  static const std::map<RetentionClass, RetainedSql> classes = [] {
    std::map<RetentionClass, RetainedSql> built;
    built.emplace(RetentionClass::kAlert, Alerts());
    built.emplace(RetentionClass::kEntry, Entries());
    built.emplace(RetentionClass::kWatchlist, Lists());
    built.emplace(RetentionClass::kAuditPayload, Payloads());
    built.emplace(RetentionClass::kJustification, Approvals());
    built.emplace(RetentionClass::kMessage, Messages());
    built.emplace(RetentionClass::kNotice, Notices());
    built.emplace(RetentionClass::kHolding, Holdings());
    built.emplace(RetentionClass::kDeployment, Deployments());
    built.emplace(RetentionClass::kReceipt, Receipts());
    built.emplace(RetentionClass::kReplayId,
                  Counted("SELECT count(*), 0, min(keep_until) FROM replay"));
    built.emplace(RetentionClass::kCounter, Counted("SELECT count(*), 0, NULL FROM capacity"));
    return built;
  }();
  const auto found = classes.find(record_class);
  return found == classes.end() ? nullptr : &found->second;
}

}  // namespace comity::store
