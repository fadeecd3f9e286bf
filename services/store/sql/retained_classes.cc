// SPDX-License-Identifier: Apache-2.0
#include "services/store/sql/retained_classes.h"

#include <fmt/format.h>

#include <map>
#include <string_view>
#include <utility>

#include "services/store/records.h"

namespace comity::store {
namespace {

using policy::RetentionClass;

// One table whose rows have something to erase while `content` holds.
struct Table {
  std::string_view from;
  std::string_view reference;  // with the table's name where retention_hold has such a column too
  std::string_view since;
  std::string_view content;
  std::string_view erase;  // the SET list
  std::string_view named;  // the row that ?1 names, by an index
  std::string_view also{};
  std::string_view due = "1";  // what else must hold for it to be due
  bool removed = false;        // the row goes as a whole; `erase` is not used
};

RetainedSql Build(RetentionClass record_class, const Table& table) {
  const std::string held = fmt::format(
      "EXISTS (SELECT 1 FROM retention_hold h WHERE h.released_at IS NULL AND h.record_class = "
      "'{}' AND h.reference IN ({}, '*'))",
      policy::Name(record_class), table.reference);
  RetainedSql sql;
  sql.due = fmt::format(
      "SELECT {}, {} FROM {} WHERE {} AND {} <= ?1 AND NOT {} AND {} ORDER BY {} LIMIT ?2",
      table.reference, table.since, table.from, table.content, table.since, held, table.due,
      table.since);
  sql.count = fmt::format(
      "SELECT count(*), count(*) FILTER (WHERE held), min(since) FILTER (WHERE NOT held)"
      " FROM (SELECT {} AS since, {} AS held FROM {} WHERE {})",
      table.since, held, table.from, table.content);
  sql.visit = fmt::format("SELECT {} FROM {} WHERE {}", table.reference, table.from, table.content);
  const std::string act = table.removed ? fmt::format("DELETE FROM {}", table.from)
                                        : fmt::format("UPDATE {} SET {}", table.from, table.erase);
  sql.erase =
      fmt::format("{} WHERE {} AND {} AND ?2 > 0 RETURNING 1", act, table.named, table.content);
  sql.also = table.also;
  return sql;
}

constexpr Table kAlerts{"alert",
                        "id",
                        "expires_at",
                        "(wrapped_key <> x'' OR sealed <> x'')",
                        "wrapped_key = x'', sealed = x'', reference = ''",
                        "id = ?1"};
// An entry that was kept by a hold goes when it had ended; one beside it, whose list's key the hold
// keeps, when its list was to be deleted. Lists that nothing holds are deleted as a whole.
constexpr Table kEntries{
    "watchlist_entry", "watchlist_entry.list || '/' || watchlist_entry.reference",
    "min(expires_at, coalesce(ended_at, expires_at), coalesce((SELECT w.delete_by FROM watchlist w"
    " WHERE w.reference = watchlist_entry.list AND w.wrapped_key <> x'' AND EXISTS (SELECT 1 FROM"
    " retention_hold l WHERE l.released_at IS NULL AND l.record_class = 'entry' AND"
    " substr(l.reference, 1, length(w.reference) + 1) = w.reference || '/')), expires_at))",
    "wrapped_key <> x''",
    "state = CASE WHEN state <> 1 THEN state WHEN expires_at <= ?2 THEN 3 ELSE 2 END,"
    " ended_at = coalesce(ended_at, ?2),"
    " wrapped_key = x'', sealed_fields = x'', sealed_template = x''",
    // A list's name has no '/'.
    "list = substr(?1, 1, instr(?1, '/') - 1) AND reference = substr(?1, instr(?1, '/') + 1)"};
static_assert(static_cast<int>(EntryState::kActive) == 1 &&
              static_cast<int>(EntryState::kWithdrawn) == 2 &&
              static_cast<int>(EntryState::kExpired) == 3 &&
              static_cast<int>(ListState::kDeleted) == 4);
// A list has no date of its own until it is closed.
constexpr Table kLists{
    "watchlist", "watchlist.reference", "coalesce(delete_by, 9223372036854775807)",
    "wrapped_key <> x''",
    "state = 4, closed_at = coalesce(closed_at, ?2), deleted_at = ?2, wrapped_key = x''",
    "reference = ?1",
    "UPDATE watchlist_entry SET state = CASE WHEN state <> 1 THEN state WHEN expires_at <= ?2"
    " THEN 3 ELSE 2 END,"
    " ended_at = coalesce(ended_at, ?2), wrapped_key = x'', sealed_fields = x'',"
    " sealed_template = x'' WHERE list = ?1 AND wrapped_key <> x''",
    // The key of a held entry is wrapped under the list's.
    "NOT EXISTS (SELECT 1 FROM retention_hold l WHERE l.released_at IS NULL"
    " AND l.record_class = 'entry' AND (l.reference = '*' OR"
    " substr(l.reference, 1, length(watchlist.reference) + 1) = watchlist.reference || '/'))"};
constexpr Table kPayloads{"audit_payload",
                          "CAST(leaf_index AS TEXT)",
                          "erase_at",
                          "wrapped_key <> x'' AND erase_at > 0",
                          "wrapped_key = x'', sealed = x''",
                          "leaf_index = CAST(?1 AS INTEGER)"};
constexpr Table kApprovals{
    "approval",
    "id",
    "max(decided_at, expires_at)",
    "content <> x'' AND state NOT IN (1, 5)",
    "content = x'', words = '', reason = '', decision = '', review = '', verdict = '',"
    " vouched = x''",
    "id = ?1"};
constexpr Table kMessages{"outbox",          "id",
                          "acknowledged_at", "content <> x'' AND acknowledged_at IS NOT NULL",
                          "content = x''",   "id = ?1"};
constexpr Table kNotices{
    "notice",      "CAST(notice.number AS TEXT)", "at",
    "words <> ''", "subject = '', words = ''",    "number = CAST(?1 AS INTEGER)"};

constexpr Table kDeployments{
    "deployment", "deployment.id", "closed_at", "closed_at > 0", "", "id = ?1", {}, "1", true};

// The rows of its holders refer to a deployment: they go first.
RetainedSql Deployments() {
  RetainedSql sql = Build(RetentionClass::kDeployment, kDeployments);
  sql.erase =
      "DELETE FROM deployment_holder WHERE deployment = ?1 AND EXISTS (SELECT 1 FROM deployment"
      " WHERE id = ?1 AND closed_at > 0) AND ?2 > 0 RETURNING 1";
  sql.also = "DELETE FROM deployment WHERE id = ?1 AND closed_at > 0 AND ?2 > 0";
  return sql;
}

// "list/partner/agreement/reference": only the last part may have a '/'. A holding goes with its
// answers, which are of the entry and the partner under whichever agreement; not if the partner was
// told anew since it was looked for.
RetainedSql Holdings() {
  const std::string after_list = "substr(?1, instr(?1, '/') + 1)";
  const std::string after_partner = fmt::format("substr({0}, instr({0}, '/') + 1)", after_list);
  const std::string list = "list = substr(?1, 1, instr(?1, '/') - 1)";
  const std::string partner =
      fmt::format("partner = substr({0}, 1, instr({0}, '/') - 1)", after_list);
  const std::string agreement =
      fmt::format("agreement = substr({0}, 1, instr({0}, '/') - 1)", after_partner);
  const std::string reference =
      fmt::format("reference = substr({0}, instr({0}, '/') + 1)", after_partner);
  const std::string named =
      fmt::format("{} AND {} AND {} AND {} AND max(held_until, told_at) <= ?2", list, reference,
                  partner, agreement);
  const std::string answers = fmt::format(
      "DELETE FROM holding_answer WHERE {} AND {} AND {} AND ?2 > 0 AND NOT EXISTS (SELECT 1 FROM"
      " holding h WHERE h.list = holding_answer.list AND h.reference = holding_answer.reference"
      " AND h.partner = holding_answer.partner)",
      list, reference, partner);
  return Build(RetentionClass::kHolding,
               {"holding",
                "holding.list || '/' || holding.partner || '/' || holding.agreement || '/' ||"
                " holding.reference",
                "max(held_until, told_at)", "1", "", named, answers, "1", true});
}

// Receipts that a partner gave stand with the message, those that were given to it in the inbox.
RetainedSql Receipts() {
  RetainedSql sql;
  const std::string both =
      "(SELECT 'sent/' || id AS reference, acknowledged_at AS since FROM outbox"
      " WHERE receipt <> x'' AND acknowledged_at IS NOT NULL AND acknowledged_at <= ?1"
      " UNION ALL SELECT 'received/' || sender || '/' || id, received_at FROM inbox"
      " WHERE receipt <> x'' AND received_at <= ?1)";
  const std::string held =
      "EXISTS (SELECT 1 FROM retention_hold h WHERE h.released_at IS NULL"
      " AND h.record_class = 'receipt' AND h.reference IN (r.reference, '*'))";
  sql.due = fmt::format("SELECT reference, since FROM {} r WHERE NOT {} ORDER BY since LIMIT ?2",
                        both, held);
  std::string all = both;
  for (std::size_t at = all.find("?1"); at != std::string::npos; at = all.find("?1")) {
    all.replace(at, 2, "9223372036854775807");
  }
  sql.count = fmt::format(
      "SELECT count(*), count(*) FILTER (WHERE held), min(since) FILTER (WHERE NOT held)"
      " FROM (SELECT since, {} AS held FROM {} r)",
      held, all);
  sql.visit = fmt::format("SELECT reference FROM {} r", all);
  sql.erase =
      "UPDATE outbox SET receipt = x'' WHERE id = substr(?1, 6) AND 'sent/' || id = ?1"
      " AND receipt <> x'' AND ?2 > 0 RETURNING 1";
  sql.also =
      "UPDATE inbox SET receipt = x'' WHERE sender = substr(?1, 10, length(?1) - 36)"
      " AND id = substr(?1, -26) AND 'received/' || sender || '/' || id = ?1"
      " AND receipt <> x'' AND ?2 > 0";
  return sql;
}

// Of these no record has a reference: they go by age alone, all at once.
RetainedSql Counted(std::string count) {
  return {.due = {}, .count = std::move(count), .visit = {}, .erase = {}, .also = {}};
}

}  // namespace

const RetainedSql* SqlOf(RetentionClass record_class) {
  static const std::map<RetentionClass, RetainedSql> classes = [] {
    std::map<RetentionClass, RetainedSql> built;
    const auto add = [&](RetentionClass one, const Table& table) {
      built.emplace(one, Build(one, table));
    };
    add(RetentionClass::kAlert, kAlerts);
    add(RetentionClass::kEntry, kEntries);
    add(RetentionClass::kWatchlist, kLists);
    add(RetentionClass::kAuditPayload, kPayloads);
    add(RetentionClass::kJustification, kApprovals);
    add(RetentionClass::kMessage, kMessages);
    add(RetentionClass::kNotice, kNotices);
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
