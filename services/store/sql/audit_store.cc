// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "services/store/sql/aggregates.h"
#include "services/store/sql/guarded_call.h"
#include "services/store/sql/row.h"
#include "services/store/sql/savepoint.h"

namespace comity::store {
namespace {

constexpr std::size_t kMaxEntry = 8192;  // as the schema says

}  // namespace

Result<std::uint64_t> SqlAuditStore::Append(ByteView entry, std::string_view exchange,
                                            const AuditPayloadRecord& payload) {
  return GuardedStep(connection_, "append to the log", [&]() -> Result<std::uint64_t> {
    // What the database would refuse by itself is refused here: rows may be gathered.
    if (entry.empty() || entry.size() > kMaxEntry) {
      return Fail(ErrorCode::kInternal, "a log entry has 1 to 8192 octets");
    }
    COMITY_ASSIGN_OR_RETURN(const std::uint64_t index, Size());
    COMITY_ASSIGN_OR_RETURN(const std::int64_t stored, ToStored(index));
    // An entry without its payload could never be read by those entitled to.
    Savepoint both(connection_);
    Query(connection_, "INSERT INTO audit_entry (leaf_index, entry, exchange) VALUES (?, ?, ?)",
          stored, entry, exchange)
        .RunLater();
    Query(connection_,
          "INSERT INTO audit_payload (leaf_index, wrapped_key, sealed, erase_at)"
          " VALUES (?, ?, ?, ?)",
          stored, ByteView(payload.wrapped_key), ByteView(payload.sealed), payload.erase_at)
        .RunLater();
    both.Release();
    connection_.set_log_size(index + 1);
    return index;
  });
}

Result<std::uint64_t> SqlAuditStore::Size() const {
  return GuardedStep(connection_, "read the log's size", [&]() -> Result<std::uint64_t> {
    if (connection_.log_size()) return *connection_.log_size();
    Query row(connection_, "SELECT coalesce(max(leaf_index) + 1, 0) FROM audit_entry");
    row.Next();
    return row.Unsigned(0);
  });
}

Result<std::vector<AuditEntryRecord>> SqlAuditStore::Read(std::uint64_t from,
                                                          std::uint64_t count) const {
  using Entries = std::vector<AuditEntryRecord>;
  return GuardedStep(connection_, "read the log", [&]() -> Result<Entries> {
    COMITY_ASSIGN_OR_RETURN(const std::uint64_t size, Size());
    Entries entries;
    if (from >= size) return entries;
    const std::uint64_t wanted = std::min(count, size - from);
    Query row(connection_,
              "SELECT leaf_index, entry FROM audit_entry WHERE leaf_index >= ?"
              " ORDER BY leaf_index LIMIT ?",
              static_cast<std::int64_t>(from), static_cast<std::int64_t>(wanted));
    while (row.Next()) {
      if (row.Unsigned(0) != from + entries.size()) break;
      entries.push_back({row.Unsigned(0), row.Blob(1)});
    }
    if (entries.size() != wanted) return Fail(ErrorCode::kCorrupt, "the stored log has a gap");
    return entries;
  });
}

Result<std::vector<AuditEntryRecord>> SqlAuditStore::OfExchange(std::string_view exchange,
                                                                std::uint32_t limit) const {
  using Entries = std::vector<AuditEntryRecord>;
  return GuardedStep(connection_, "read an exchange", [&]() -> Result<Entries> {
    Entries entries;
    Query row(connection_,
              "SELECT leaf_index, entry FROM audit_entry WHERE exchange = ? AND exchange <> ''"
              " ORDER BY leaf_index LIMIT ?",
              exchange, limit);
    while (row.Next()) entries.push_back({row.Unsigned(0), row.Blob(1)});
    return entries;
  });
}

Result<AuditPayloadRecord> SqlAuditStore::Payload(std::uint64_t index) const {
  return GuardedStep(connection_, "read the payload", [&]() -> Result<AuditPayloadRecord> {
    COMITY_ASSIGN_OR_RETURN(const std::uint64_t size, Size());
    if (index >= size) return Fail(ErrorCode::kNotFound, "the log has no entry of this index");
    Query row(connection_,
              "SELECT wrapped_key, sealed, erase_at FROM audit_payload WHERE leaf_index = ?",
              static_cast<std::int64_t>(index));
    if (!row.Next()) return Fail(ErrorCode::kCorrupt, "a log entry has lost its payload");
    return AuditPayloadRecord{row.Blob(0), row.Blob(1), row.Time(2)};
  });
}

Result<std::map<std::uint64_t, AuditPayloadRecord>> SqlAuditStore::ShortPayloads(
    std::uint64_t from, std::uint64_t count, std::uint32_t max_sealed) const {
  using Payloads = std::map<std::uint64_t, AuditPayloadRecord>;
  return GuardedStep(connection_, "read payloads", [&]() -> Result<Payloads> {
    COMITY_ASSIGN_OR_RETURN(const std::uint64_t size, Size());
    Payloads payloads;
    if (from >= size) return payloads;
    // Neither database reads octets to tell how many they are.
    Query row(connection_,
              "SELECT leaf_index, wrapped_key, sealed, erase_at FROM audit_payload"
              " WHERE leaf_index >= ? AND leaf_index < ? AND length(sealed) <= ?",
              static_cast<std::int64_t>(from),
              static_cast<std::int64_t>(from + std::min(count, size - from)), max_sealed);
    while (row.Next()) {
      payloads.emplace(row.Unsigned(0), AuditPayloadRecord{row.Blob(1), row.Blob(2), row.Time(3)});
    }
    return payloads;
  });
}

}  // namespace comity::store
