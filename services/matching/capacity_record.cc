// SPDX-License-Identifier: Apache-2.0
#include "services/matching/capacity_record.h"

#include <algorithm>
#include <chrono>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "crypto/tlog/entry.h"
#include "services/audit/events.h"
#include "services/audit/payload.h"

namespace comity::matching {
namespace {

using Key = CapacityRecord::Key;

constexpr std::uint64_t kPage = 512;  // entries that are read at a time
// Octets of a sealed payload, at most: a reservation's has some 1,000.
constexpr std::uint32_t kMaxSealed = 4096;
constexpr std::size_t kFaultsInWords = 3;
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

// An entry that may be a reservation, with its payload unless that is missing or too long for one.
struct Candidate {
  std::uint64_t index = 0;
  Bytes entry;
  std::optional<store::AuditPayloadRecord> payload;
};

Result<Reservation> Open(const Candidate& candidate, const tlog::LogEntry& entry,
                         const SecretBytes& kek) {
  if (!candidate.payload) {
    return Fail(ErrorCode::kCorrupt, "its payload is missing, or too long for one");
  }
  COMITY_ASSIGN_OR_RETURN(const audit::OpenedPayload opened,
                          audit::OpenPayload(candidate.entry, *candidate.payload, kek));
  if (opened.erased) return Fail(ErrorCode::kCorrupt, "its payload was taken away");
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
  std::vector<Candidate> candidates;  // newest first
  bool is_whole = false;              // nothing before them is of the day
};

// Those of [from, from + count) that may be of a day that begins at `begin`, in one unit of work.
Result<Found> FindIn(const store::Store& store, std::uint64_t from, std::uint64_t count,
                     policy::Instant begin) {
  const std::string mark = "\"" + std::string(audit::kCapacityReserved) + "\"";
  std::vector<store::AuditEntryRecord> entries;
  std::map<std::uint64_t, store::AuditPayloadRecord> payloads;
  const auto is_marked = [&](const store::AuditEntryRecord& record) {
    return AsText(record.entry).find(mark) != std::string_view::npos;
  };
  COMITY_RETURN_IF_ERROR(store.Read([&](const store::Transaction& transaction) -> Status {
    COMITY_ASSIGN_OR_RETURN(entries, transaction.audit().Read(from, count));
    if (std::ranges::none_of(entries, is_marked)) return {};
    COMITY_ASSIGN_OR_RETURN(payloads, transaction.audit().ShortPayloads(from, count, kMaxSealed));
    return {};
  }));
  const auto is_earlier = [&](const store::AuditEntryRecord& record) -> Result<bool> {
    COMITY_ASSIGN_OR_RETURN(const tlog::LogEntry entry, tlog::ParseEntry(AsText(record.entry)));
    return entry.time < begin - kDisorder;
  };
  Found found;
  // Single entries bear an earlier time than their place says, such as those of what took long.
  found.is_whole = !entries.empty();
  for (std::size_t i = entries.size(); i > 0 && found.is_whole; --i) {
    COMITY_ASSIGN_OR_RETURN(found.is_whole, is_earlier(entries[i - 1]));
  }
  for (std::size_t i = entries.size(); i > 0; --i) {
    store::AuditEntryRecord& record = entries[i - 1];
    if (!is_marked(record)) continue;
    COMITY_ASSIGN_OR_RETURN(const bool earlier, is_earlier(record));
    if (earlier) continue;
    Candidate& candidate = found.candidates.emplace_back();
    candidate.index = record.index;
    candidate.entry = std::move(record.entry);
    const auto payload = payloads.find(record.index);
    if (payload != payloads.end()) candidate.payload = std::move(payload->second);
  }
  return found;
}

// Those from `today` on that a reservation of this time may count for: it is written after its day
// was chosen, perhaps past midnight.
std::vector<std::string> DaysOf(policy::Instant time, const std::string& today) {
  std::vector<std::string> days = {policy::UtcDay(time - std::chrono::days(1)),
                                   policy::UtcDay(time)};
  std::erase_if(days, [&](const std::string& day) { return day < today; });
  if (days.empty()) days.push_back(today);
  return days;
}

}  // namespace

Status CapacityRecord::Recall(const store::Store& store, const SecretBytes& kek,
                              policy::Instant now, const std::stop_token& stop) {
  const std::string today = policy::UtcDay(now);
  const policy::Instant begin = std::chrono::floor<std::chrono::days>(now);
  state_.With([&](State& state) { Begin(state, today); });
  std::uint64_t end = 0;
  COMITY_RETURN_IF_ERROR(store.Read([&](const store::Transaction& transaction) -> Status {
    COMITY_ASSIGN_OR_RETURN(end, transaction.audit().Size());
    return {};
  }));
  const auto take = [&](const Candidate& candidate) -> Status {
    COMITY_ASSIGN_OR_RETURN(const tlog::LogEntry entry, tlog::ParseEntry(AsText(candidate.entry)));
    const auto reservation = Open(candidate, entry, kek);
    state_.With([&](State& state) {
      if (reservation) return Add(state, reservation->key, reservation->reserved);
      for (std::string& day : DaysOf(entry.time, today)) state.unreadable.insert(std::move(day));
      AddFault(state, "entry " + std::to_string(candidate.index) +
                          " of the log, of a reservation: " + reservation.error().detail);
    });
    return {};
  };
  bool is_whole = false;
  while (end > 0 && !is_whole) {
    if (stop.stop_requested()) {
      return Fail(ErrorCode::kUnavailable, "stopped while the log's reservations were read");
    }
    const std::uint64_t from = end - std::min(end, kPage);
    COMITY_ASSIGN_OR_RETURN(const Found found, FindIn(store, from, end - from, begin));
    is_whole = found.is_whole;
    end = from;
    for (const Candidate& candidate : found.candidates) COMITY_RETURN_IF_ERROR(take(candidate));
  }
  return {};
}

void CapacityRecord::Begin(State& state, const std::string& day) {
  if (day <= state.today) return;
  state.today = day;
  std::erase_if(state.counters, [&](const auto& item) { return item.first.day < day; });
  std::erase_if(state.unreadable, [&](const std::string& other) { return other < day; });
  const auto count = [&](bool of_today) {
    return static_cast<std::size_t>(std::ranges::count_if(state.counters, [&](const auto& item) {
      return !item.first.subject.empty() && (item.first.day == day) == of_today;
    }));
  };
  state.subjects = count(true);
  state.later_subjects = count(false);
}

void CapacityRecord::Add(State& state, const Key& key, std::uint64_t reserved) const {
  if (key.day < state.today) return;
  const auto known = state.counters.find(key);
  if (known != state.counters.end()) {
    known->second.reserved = std::max(known->second.reserved, reserved);
    return;
  }
  if (!key.subject.empty()) {
    std::size_t& subjects = key.day == state.today ? state.subjects : state.later_subjects;
    if (subjects >= max_subjects_) return;
    ++subjects;
  }
  state.counters.emplace(key, Counter{.reserved = reserved});
}

void CapacityRecord::Faults::Add(std::string fault) {
  if (words.size() < kFaultsInWords) return words.push_back(std::move(fault));
  ++others;
}

std::string CapacityRecord::Faults::Text() const {
  std::string text;
  for (const std::string& one : words) text += (text.empty() ? "" : "; ") + one;
  return others == 0 ? text : text + "; and " + std::to_string(others) + " more";
}

void CapacityRecord::AddFault(State& state, const std::string& fault) {
  state.all.Add(fault);
  state.untold.Add(fault);
}

void CapacityRecord::Note(const Key& key, std::uint64_t reserved) {
  state_.With([&](State& state) {
    Begin(state, key.day);
    Add(state, key, reserved);
  });
}

std::uint64_t CapacityRecord::Known(const Key& key) const {
  return state_.With([&](const State& state) {
    const auto known = state.counters.find(key);
    return known == state.counters.end() ? 0 : known->second.reserved;
  });
}

Status CapacityRecord::Check(const Key& key, std::uint64_t known, std::uint64_t stored) const {
  return state_.With([&](State& state) -> Status {
    const auto counter = state.counters.find(key);
    // One that is forgotten since it was asked for is of a day that is over.
    if (stored < known && counter != state.counters.end() && !counter->second.is_faulty) {
      counter->second.is_faulty = true;
      AddFault(state, "a counter of agreement " + key.agreement.text() + ", clause " + key.clause +
                          ", of " + key.requester.text() +
                          (key.subject.empty() ? "" : " for one officer or case") + " says that " +
                          std::to_string(stored) + " probes of " + key.day + " are used, the log " +
                          std::to_string(known));
    }
    if (stored >= known && !state.unreadable.contains(key.day)) return {};
    return Fail(ErrorCode::kCorrupt, "the counter of capacity is not what the log says");
  });
}

Status CapacityRecord::Look(const store::Store& store, bool with_subjects) const {
  std::vector<std::pair<Key, std::uint64_t>> known;
  state_.With([&](const State& state) {
    for (const auto& [key, counter] : state.counters) {
      if (with_subjects || key.subject.empty()) known.emplace_back(key, counter.reserved);
    }
  });
  if (known.empty()) return {};
  return store.Read([&](const store::Transaction& transaction) -> Status {
    for (const auto& [key, reserved] : known) {
      COMITY_ASSIGN_OR_RETURN(const std::uint64_t stored, transaction.capacity().Reserved(key));
      static_cast<void>(Check(key, reserved, stored));  // kept as a fault
    }
    return {};
  });
}

std::string CapacityRecord::fault() const {
  return state_.With([](const State& state) { return state.all.Text(); });
}

std::string CapacityRecord::TakeFaults() {
  return state_.With([](State& state) { return std::exchange(state.untold, {}).Text(); });
}

}  // namespace comity::matching
