// SPDX-License-Identifier: Apache-2.0
#include "services/matching/capacity_record.h"

#include <algorithm>
#include <chrono>
#include <string_view>
#include <utility>
#include <vector>

#include "crypto/tlog/entry.h"
#include "services/audit/events.h"
#include "services/audit/payload.h"

namespace comity::matching {
namespace {

using Key = CapacityRecord::Key;

constexpr std::uint64_t kPage = 512;
// Entries are dated before they are appended: those of two threads may change places.
constexpr std::chrono::minutes kDisorder{10};

// "AGREEMENT/REQUESTER" or "AGREEMENT/REQUESTER/SUBJECT", as capacity_meter.cc writes it.
Result<Key> ParseCounter(std::string_view counter) {
  const auto cut = [&counter] {
    const std::size_t slash = std::min(counter.find('/'), counter.size());
    const std::string part(counter.substr(0, slash));
    counter.remove_prefix(std::min(slash + 1, counter.size()));
    return part;
  };
  COMITY_ASSIGN_OR_RETURN(auto agreement, policy::AgreementId::Parse(cut()));
  COMITY_ASSIGN_OR_RETURN(auto requester, policy::AgencyId::Parse(cut()));
  return Key{.agreement = std::move(agreement),
             .clause = {},
             .requester = std::move(requester),
             .day = {},
             .subject = std::string(counter)};
}

struct Reservation {
  Key key;
  std::uint64_t reserved = 0;
};

Result<Reservation> Open(const store::Store& store, const SecretBytes& kek, std::uint64_t index) {
  COMITY_ASSIGN_OR_RETURN(const audit::OpenedPayload opened, audit::OpenPayload(store, kek, index));
  if (opened.erased) return Fail(ErrorCode::kCorrupt, "its payload was taken away");
  COMITY_ASSIGN_OR_RETURN(const tlog::LogEntry entry, tlog::ParseEntry(AsText(opened.entry)));
  const auto& fields = opened.fields;
  const auto reserved = entry.counts.find("reserved");
  if (!fields.contains("counter") || !fields.contains("clause") || !fields.contains("day") ||
      reserved == entry.counts.end()) {
    return Fail(ErrorCode::kCorrupt, "it does not say what was reserved");
  }
  Reservation reservation;
  COMITY_ASSIGN_OR_RETURN(reservation.key, ParseCounter(fields.at("counter")));
  reservation.key.clause = fields.at("clause");
  reservation.key.day = fields.at("day");
  reservation.reserved = static_cast<std::uint64_t>(reserved->second);
  return reservation;
}

struct Found {
  std::vector<std::uint64_t> indexes;  // newest first
  bool is_whole = false;               // nothing before them is of the day
};

// Those of [from, from + kPage) that may be of a day that begins at `begin`.
Result<Found> FindIn(const store::Store& store, std::uint64_t from, std::uint64_t count,
                     policy::Instant begin) {
  const std::string mark = "\"" + std::string(audit::kCapacityReserved) + "\"";
  Found found;
  std::vector<store::AuditEntryRecord> entries;
  COMITY_RETURN_IF_ERROR(store.Read([&](const store::Transaction& transaction) -> Status {
    COMITY_ASSIGN_OR_RETURN(entries, transaction.audit().Read(from, count));
    return {};
  }));
  const auto is_earlier = [&](const store::AuditEntryRecord& record) -> Result<bool> {
    COMITY_ASSIGN_OR_RETURN(const tlog::LogEntry entry, tlog::ParseEntry(AsText(record.entry)));
    return entry.time < begin - kDisorder;
  };
  for (std::size_t i = entries.size(); i > 0; --i) {
    const store::AuditEntryRecord& record = entries[i - 1];
    if (AsText(record.entry).find(mark) == std::string_view::npos) continue;
    COMITY_ASSIGN_OR_RETURN(const bool earlier, is_earlier(record));
    if (!earlier) found.indexes.push_back(from + i - 1);
  }
  // Single entries bear an earlier time than their place says, such as those of what took long.
  found.is_whole = !entries.empty();
  for (std::size_t i = entries.size(); i > 0 && found.is_whole; --i) {
    COMITY_ASSIGN_OR_RETURN(found.is_whole, is_earlier(entries[i - 1]));
  }
  return found;
}

}  // namespace

Status CapacityRecord::Recall(const store::Store& store, const SecretBytes& kek,
                              policy::Instant now) {
  const std::string day = policy::UtcDay(now);
  const policy::Instant begin = std::chrono::floor<std::chrono::days>(now);
  std::uint64_t end = 0;
  COMITY_RETURN_IF_ERROR(store.Read([&](const store::Transaction& transaction) -> Status {
    COMITY_ASSIGN_OR_RETURN(end, transaction.audit().Size());
    return {};
  }));
  bool is_whole = false;
  while (end > 0 && !is_whole) {
    const std::uint64_t from = end - std::min(end, kPage);
    COMITY_ASSIGN_OR_RETURN(const Found found, FindIn(store, from, end - from, begin));
    is_whole = found.is_whole;
    end = from;
    for (const std::uint64_t index : found.indexes) {
      const auto reservation = Open(store, kek, index);
      // A database that does not answer was changed by nobody.
      if (!reservation && reservation.error().code == ErrorCode::kUnavailable) {
        return Fail(reservation.error());
      }
      state_.With([&](State& state) {
        if (reservation && reservation->key.day < day) return;
        if (reservation) return Add(state, reservation->key, reservation->reserved);
        state.unreadable = day;
        if (!state.fault.empty()) return;
        state.fault = "entry " + std::to_string(index) +
                      " of the log, of a reservation: " + reservation.error().detail;
      });
    }
  }
  return {};
}

void CapacityRecord::Add(State& state, const Key& key, std::uint64_t reserved) const {
  if (key.day < state.day) return;
  if (key.day > state.day) {
    state.day = key.day;
    state.reserved.clear();
    state.subjects = 0;
  }
  const auto known = state.reserved.find(key);
  if (known != state.reserved.end()) {
    known->second = std::max(known->second, reserved);
    return;
  }
  if (!key.subject.empty() && state.subjects >= max_subjects_) return;
  state.subjects += key.subject.empty() ? 0U : 1U;
  state.reserved.emplace(key, reserved);
}

void CapacityRecord::Note(const Key& key, std::uint64_t reserved) {
  state_.With([&](State& state) { Add(state, key, reserved); });
}

std::uint64_t CapacityRecord::Known(const Key& key) const {
  return state_.With([&](const State& state) {
    const auto known = state.reserved.find(key);
    return known == state.reserved.end() ? 0 : known->second;
  });
}

Status CapacityRecord::Check(const Key& key, std::uint64_t known, std::uint64_t stored) const {
  return state_.With([&](State& state) -> Status {
    if (stored < known && state.fault.empty()) {
      state.fault = "a counter of agreement " + key.agreement.text() + ", clause " + key.clause +
                    ", of " + key.requester.text() + " says that " + std::to_string(stored) +
                    " probes of " + key.day + " are used, the log " + std::to_string(known);
    }
    if (stored >= known && state.unreadable != key.day) return {};
    return Fail(ErrorCode::kCorrupt, "the counter of capacity is not what the log says");
  });
}

Status CapacityRecord::Look(const store::Store& store, bool with_subjects) const {
  std::vector<std::pair<Key, std::uint64_t>> known;
  state_.With([&](const State& state) {
    for (const auto& [key, reserved] : state.reserved) {
      if (with_subjects || key.subject.empty()) known.emplace_back(key, reserved);
    }
  });
  if (known.empty()) return {};
  return store.Read([&](const store::Transaction& transaction) -> Status {
    for (const auto& [key, reserved] : known) {
      COMITY_ASSIGN_OR_RETURN(const std::uint64_t stored, transaction.capacity().Reserved(key));
      static_cast<void>(Check(key, reserved, stored));  // said by fault()
    }
    return {};
  });
}

std::string CapacityRecord::fault() const {
  return state_.With([](const State& state) { return state.fault; });
}

}  // namespace comity::matching
