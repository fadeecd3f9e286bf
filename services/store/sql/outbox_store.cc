// SPDX-License-Identifier: Apache-2.0
#include "services/store/sql/outbox_store.h"

#include <algorithm>
#include <functional>
#include <utility>

#include "services/store/sql/guarded_call.h"
#include "services/store/sql/row.h"

namespace comity::store {
namespace {

constexpr std::int64_t kAbsent = 0;  // instants before 1970 do not occur

std::optional<policy::Instant> ReadTime(const Query& row, int column) {
  if (row.Integer(column) == kAbsent) return std::nullopt;
  return row.Time(column);
}

// Reads the columns in the order in which each SELECT of this file names them.
Result<OutboxRecord> ReadMessage(const Query& row) {
  OutboxRecord message;
  message.number = row.Unsigned(0);
  COMITY_ASSIGN_OR_RETURN(message.peer, ReadId<policy::AgencyId>(row, 1));
  message.id = row.Text(2);
  message.kind = row.Text(3);
  message.content = ReadOctets(row, 4);
  message.created_at = row.Time(5);
  message.due_by = ReadTime(row, 6);
  message.refused = row.Text(7);
  COMITY_ASSIGN_OR_RETURN(message.told, ReadUint32(row, 8));
  message.acknowledged_at = ReadTime(row, 9);
  message.receipt = ReadOctets(row, 10);
  return message;
}

Status ReadMessages(Query& row, std::vector<OutboxRecord>& messages) {
  while (row.Next()) {
    COMITY_ASSIGN_OR_RETURN(auto message, ReadMessage(row));
    messages.push_back(std::move(message));
  }
  return {};
}

Result<std::vector<OutboxRecord>> ReadMessages(Query& row) {
  std::vector<OutboxRecord> messages;
  COMITY_RETURN_IF_ERROR(ReadMessages(row, messages));
  return messages;
}

Error NoneWaits() {
  return {ErrorCode::kNotFound, "no message waits under this number"};
}

}  // namespace

Result<std::uint64_t> SqlOutboxStore::Add(const OutboxRecord& message) {
  return GuardedStep(connection_, "store the message", [&]() -> Result<std::uint64_t> {
    Query row(connection_,
              "INSERT INTO outbox (peer, id, kind, content, created_at, due_by, refused, told,"
              " acknowledged_at, receipt) VALUES (?, ?, ?, ?, ?, ?, '', 0, NULL, x'')"
              " ON CONFLICT DO NOTHING RETURNING number",
              message.peer.text(), message.id, message.kind, AsBytes(message.content),
              message.created_at, message.due_by);
    if (!row.Next()) return Fail(ErrorCode::kConflict, "a message of this id is stored already");
    const std::uint64_t number = row.Unsigned(0);
    while (row.Next()) {  // runs the statement to its end
    }
    return number;
  });
}

Result<OutboxRecord> SqlOutboxStore::Get(std::uint64_t number) const {
  return GuardedStep(connection_, "read the message", [&]() -> Result<OutboxRecord> {
    COMITY_ASSIGN_OR_RETURN(const std::int64_t stored, ToStored(number));
    Query row(connection_,
              "SELECT number, peer, id, kind, content, created_at, coalesce(due_by, 0), refused,"
              " told, coalesce(acknowledged_at, 0), receipt FROM outbox WHERE number = ?",
              stored);
    if (!row.Next()) return Fail(ErrorCode::kNotFound, "there is no such message");
    return ReadMessage(row);
  });
}

Result<std::vector<OutboxRecord>> SqlOutboxStore::Waiting(
    const policy::AgencyId& peer, std::uint32_t limit, std::uint64_t after,
    const std::vector<std::string>& without) const {
  using Messages = std::vector<OutboxRecord>;
  if (without.size() > kMostKinds) {
    return Fail(ErrorCode::kInvalidArgument, "more than 8 kinds of messages are left out");
  }
  return GuardedStep(connection_, "read the outbox", [&]() -> Result<Messages> {
    COMITY_ASSIGN_OR_RETURN(const std::int64_t stored, ToStored(after));
    std::vector<StoredValue> arguments{std::string(peer.text()), stored};
    for (std::size_t i = 0; i < kMostKinds; ++i) {
      arguments.emplace_back(i < without.size() ? without[i] : std::string());
    }
    arguments.emplace_back(std::int64_t{limit});
    Query row(connection_,
              "SELECT number, peer, id, kind, content, created_at, coalesce(due_by, 0), refused,"
              " told, 0, receipt FROM outbox"
              " WHERE acknowledged_at IS NULL AND peer = ? AND number > ?"
              " AND kind NOT IN (?, ?, ?, ?, ?, ?, ?, ?)"
              " ORDER BY number LIMIT ?",
              arguments);
    return ReadMessages(row);
  });
}

Result<std::optional<policy::Instant>> SqlOutboxStore::WaitingSince(const policy::AgencyId& peer,
                                                                    std::string_view kind) const {
  using Found = std::optional<policy::Instant>;
  return GuardedStep(connection_, "read the outbox", [&]() -> Result<Found> {
    Query row(connection_,
              "SELECT created_at FROM outbox WHERE acknowledged_at IS NULL AND peer = ?"
              " AND kind = ? ORDER BY number LIMIT 1",
              peer.text(), kind);
    return row.Next() ? Found(row.Time(0)) : Found();
  });
}

Result<std::vector<OutboxRecord>> SqlOutboxStore::AllWaiting() const {
  using Messages = std::vector<OutboxRecord>;
  return GuardedStep(connection_, "read the outbox", [&]() -> Result<Messages> {
    Messages messages;
    // In the order of the index that has only what waits.
    for (std::size_t known = 0, more = kPageRows; more == kPageRows; known = messages.size()) {
      const OutboxRecord last = messages.empty() ? OutboxRecord() : messages.back();
      Query row(connection_,
                "SELECT number, peer, id, kind, x'', created_at, coalesce(due_by, 0), refused,"
                " told, 0, x'' FROM outbox WHERE acknowledged_at IS NULL"
                " AND (peer, number) > (?, ?) ORDER BY peer, number LIMIT ?",
                last.peer.text(), static_cast<std::int64_t>(last.number), kPageRows);
      COMITY_RETURN_IF_ERROR(ReadMessages(row, messages));
      more = messages.size() - known;
    }
    std::ranges::sort(messages, std::ranges::less(), &OutboxRecord::number);
    return messages;
  });
}

Result<std::vector<OutboxRecord>> SqlOutboxStore::OfKind(std::string_view kind,
                                                         std::uint32_t limit) const {
  using Messages = std::vector<OutboxRecord>;
  return GuardedStep(connection_, "read the outbox", [&]() -> Result<Messages> {
    Query row(connection_,
              "SELECT number, peer, id, kind, content, created_at, coalesce(due_by, 0), refused,"
              " told, coalesce(acknowledged_at, 0), receipt FROM outbox WHERE kind = ?"
              " ORDER BY number DESC LIMIT ?",
              kind, limit);
    return ReadMessages(row);
  });
}

Status SqlOutboxStore::Acknowledge(std::uint64_t number, std::string_view receipt,
                                   policy::Instant at) {
  return GuardedStep(connection_, "acknowledge the message", [&]() -> Status {
    COMITY_ASSIGN_OR_RETURN(const std::int64_t stored, ToStored(number));
    const std::uint64_t changed =
        Query(connection_,
              "UPDATE outbox SET acknowledged_at = ?, receipt = ?, refused = ''"
              " WHERE number = ? AND acknowledged_at IS NULL",
              at, AsBytes(receipt), stored)
            .Run();
    if (changed == 1) return {};
    Query row(connection_, "SELECT 1 FROM outbox WHERE number = ?", stored);
    if (row.Next()) return Fail(ErrorCode::kConflict, "the message is acknowledged already");
    return Fail(ErrorCode::kNotFound, "there is no such message");
  });
}

Status SqlOutboxStore::NoteRefused(std::uint64_t number, std::string_view code) {
  return GuardedStep(connection_, "note the refusal", [&]() -> Status {
    COMITY_ASSIGN_OR_RETURN(const std::int64_t stored, ToStored(number));
    const std::uint64_t changed =
        Query(connection_,
              "UPDATE outbox SET refused = ? WHERE number = ? AND acknowledged_at IS NULL", code,
              stored)
            .Run();
    if (changed == 0) return Fail(NoneWaits());
    return {};
  });
}

Status SqlOutboxStore::NoteTold(std::uint64_t number, std::uint32_t told) {
  return GuardedStep(connection_, "note who was told", [&]() -> Status {
    COMITY_ASSIGN_OR_RETURN(const std::int64_t stored, ToStored(number));
    const std::uint64_t changed =
        Query(connection_,
              "UPDATE outbox SET told = ? WHERE number = ? AND acknowledged_at IS NULL", told,
              stored)
            .Run();
    if (changed == 0) return Fail(NoneWaits());
    return {};
  });
}

Result<std::uint64_t> SqlOutboxStore::Discard(const policy::AgencyId& peer) {
  return GuardedStep(connection_, "drop what waits", [&]() -> Result<std::uint64_t> {
    return Query(connection_, "DELETE FROM outbox WHERE acknowledged_at IS NULL AND peer = ?",
                 peer.text())
        .Run();
  });
}

Result<std::uint64_t> SqlOutboxStore::EraseContents(policy::Instant acknowledged_before) {
  return GuardedStep(connection_, "erase old messages", [&]() -> Result<std::uint64_t> {
    Query row(connection_,
              "UPDATE outbox SET content = x'' WHERE acknowledged_at < ? AND content <> x''"
              " RETURNING id, acknowledged_at",
              acknowledged_before);
    std::uint64_t erased = 0;
    for (; row.Next(); ++erased) {
      connection_.NoteErasure({"message", row.Text(0), "expired", row.Time(1)});
    }
    return erased;
  });
}

Status SqlOutboxStore::Receive(const InboxRecord& message) {
  return GuardedStep(connection_, "remember the message", [&]() -> Status {
    const std::uint64_t added =
        Query(connection_,
              "INSERT INTO inbox (sender, id, kind, content, receipt, received_at)"
              " VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
              message.sender.text(), message.id, message.kind, message.content.view(),
              AsBytes(message.receipt), message.received_at)
            .Run();
    return IfAdded(added, "this message of the partner was taken already");
  });
}

Result<std::optional<InboxRecord>> SqlOutboxStore::Received(const policy::AgencyId& sender,
                                                            std::string_view id) const {
  using Found = std::optional<InboxRecord>;
  return GuardedStep(connection_, "look for the message", [&]() -> Result<Found> {
    Query row(connection_,
              "SELECT sender, id, kind, content, receipt, received_at FROM inbox"
              " WHERE sender = ? AND id = ?",
              sender.text(), id);
    if (!row.Next()) return Found();
    InboxRecord message;
    COMITY_ASSIGN_OR_RETURN(message.sender, ReadId<policy::AgencyId>(row, 0));
    message.id = row.Text(1);
    message.kind = row.Text(2);
    COMITY_ASSIGN_OR_RETURN(message.content, ReadDigest(row, 3));
    message.receipt = ReadOctets(row, 4);
    message.received_at = row.Time(5);
    return Found(std::move(message));
  });
}

Result<std::optional<InboxUse>> SqlOutboxStore::Use(const policy::AgencyId& sender,
                                                    std::string_view kind) const {
  using Found = std::optional<InboxUse>;
  return GuardedStep(connection_, "read a partner's budget", [&]() -> Result<Found> {
    Query row(connection_,
              "SELECT since, messages, weight FROM inbox_use WHERE sender = ? AND kind = ?",
              sender.text(), kind);
    if (!row.Next()) return Found();
    return Found(InboxUse{row.Time(0), row.Unsigned(1), row.Unsigned(2)});
  });
}

Status SqlOutboxStore::PutUse(const policy::AgencyId& sender, std::string_view kind,
                              const InboxUse& use) {
  return GuardedStep(connection_, "store a partner's budget", [&]() -> Status {
    COMITY_ASSIGN_OR_RETURN(const std::int64_t messages, ToStored(use.messages));
    COMITY_ASSIGN_OR_RETURN(const std::int64_t weight, ToStored(use.weight));
    Query(connection_,
          "INSERT INTO inbox_use (sender, kind, since, messages, weight) VALUES (?, ?, ?, ?, ?)"
          " ON CONFLICT (sender, kind) DO UPDATE SET since = excluded.since,"
          " messages = excluded.messages, weight = excluded.weight",
          sender.text(), kind, use.since, messages, weight)
        .Run();
    return {};
  });
}

}  // namespace comity::store
