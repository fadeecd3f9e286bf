// SPDX-License-Identifier: Apache-2.0
#include "services/watchlists/register.h"

#include <utility>

#include "crypto/base/utf8.h"
#include "crypto/envelope/aead.h"
#include "services/audit/events.h"
#include "services/runtime/guarded.h"
#include "services/watchlists/entry_seal.h"
#include "services/watchlists/list_index.h"

namespace comity::watchlists {

using policy::Instant;
using policy::WatchlistId;

struct Register::State {
  using Lists = std::map<WatchlistId, ListIndex>;

  explicit State(RegisterSetup given) : setup(std::move(given)) {}

  RegisterSetup setup;
  runtime::Guarded<Lists> lists;
};

namespace {

constexpr std::size_t kMaxReason = 1000;

std::string EngineText(const policy::EngineProfile& engine) {
  return engine.name + " " + engine.version;
}

tl::unexpected<Error> NoSuchList(const WatchlistId& list) {
  return Fail(ErrorCode::kNotFound, "no watchlist " + list.text());
}

std::vector<store::EntryRecord> SealAll(const SecretBytes& list_key, const WatchlistId& list,
                                        const ParsedImport& parsed, RandomSource& random) {
  std::vector<store::EntryRecord> entries;
  entries.reserve(parsed.entries.size());
  for (std::size_t i = 0; i < parsed.entries.size(); ++i) {
    entries.push_back(
        SealEntry(list_key, list, parsed.entries[i], parsed.templates.Row(i), random));
  }
  return entries;
}

audit::Event ImportEvent(const RegisterSetup& setup, const store::WatchlistRecord& list,
                         const ParsedImport& parsed, std::string_view by) {
  audit::Event event;
  event.type = audit::kWatchlistImported;
  event.time = list.imported_at;
  event.parties = {setup.own};
  event.committed = {{"list", list.reference.text()},
                     {"engine", EngineText(list.engine)},
                     {"operator", std::string(by)}};
  event.counts = {{"entries", static_cast<std::int64_t>(parsed.entries.size())},
                  {"warnings", static_cast<std::int64_t>(parsed.warning_count)},
                  {"dimension", list.engine.dimension}};
  return event;
}

audit::Event WithdrawEvent(const RegisterSetup& setup, const Withdrawal& withdrawal) {
  audit::Event event;
  event.type = audit::kEntryWithdrawn;
  event.time = setup.clock.Now();
  event.parties = {setup.own};
  event.committed = {{"list", withdrawal.list.text()},
                     {"reference", withdrawal.reference},
                     {"reason", withdrawal.reason},
                     {"operator", withdrawal.by}};
  return event;
}

Status CheckStored(const WatchlistId& list, const store::EntryRecord& entry) {
  if (entry.state == store::EntryState::kWithdrawn || !entry.wrapped_key.empty()) return {};
  return Fail(ErrorCode::kCorrupt, "watchlist " + list.text() + ", entry " + entry.reference +
                                       ": it is active but has no key");
}

Result<ListIndex> LoadList(const store::WatchlistStore& lists, store::WatchlistRecord record,
                           const SecretBytes& kek) {
  COMITY_RETURN_IF_ERROR(UnwrapListKey(kek, record));
  ListIndex index(std::move(record));
  const WatchlistId& id = index.record().reference;
  const auto add = [&](const store::EntryRecord& entry) -> Status {
    COMITY_RETURN_IF_ERROR(CheckStored(id, entry));
    index.Add(entry);
    return {};
  };
  COMITY_RETURN_IF_ERROR(lists.VisitEntries(id, add));
  return index;
}

}  // namespace

Register::Register(std::unique_ptr<State> state) : state_(std::move(state)) {}
Register::~Register() = default;

Result<std::unique_ptr<Register>> Register::Open(RegisterSetup setup) {
  State::Lists loaded;
  COMITY_RETURN_IF_ERROR(setup.store.Read([&](const store::Transaction& transaction) -> Status {
    COMITY_ASSIGN_OR_RETURN(auto records, transaction.watchlists().Lists());
    for (store::WatchlistRecord& record : records) {
      const WatchlistId id = record.reference;
      COMITY_ASSIGN_OR_RETURN(ListIndex index,
                              LoadList(transaction.watchlists(), std::move(record), setup.kek));
      loaded.emplace(id, std::move(index));
    }
    return {};
  }));
  auto state = std::make_unique<State>(std::move(setup));
  state->lists.With([&](State::Lists& lists) { lists = std::move(loaded); });
  return std::unique_ptr<Register>(new Register(std::move(state)));
}

Status Register::Import(const WatchlistId& list, const ParsedImport& parsed, std::string_view by) {
  if (!parsed.ok() || parsed.entries.empty() || parsed.templates.rows() != parsed.entries.size()) {
    return Fail(ErrorCode::kInvalidArgument, "the list has faults or no entries");
  }
  RegisterSetup& setup = state_->setup;
  const SecretBytes list_key = envelope::GenerateKey(setup.random);
  store::WatchlistRecord record{list, parsed.engine, setup.clock.Now(), {}};
  record.wrapped_key = WrapListKey(setup.kek, list_key, record, setup.random);
  const auto entries = SealAll(list_key, list, parsed, setup.random);
  ListIndex index(record);
  for (const store::EntryRecord& entry : entries) index.Add(entry);
  // Indexed before it is durable, so that a withdrawal right after the commit finds the entry.
  const bool is_new = state_->lists.With(
      [&](State::Lists& lists) { return lists.emplace(list, std::move(index)).second; });
  if (!is_new) {
    return Fail(ErrorCode::kConflict,
                "watchlist " + list.text() + " exists already; import under another name");
  }
  const Status committed = setup.journal.Commit(
      [&](store::Transaction& transaction, audit::Recorder& recorder) -> Status {
        COMITY_RETURN_IF_ERROR(transaction.watchlists().AddList(record, entries));
        COMITY_RETURN_IF_ERROR(recorder.Record(ImportEvent(setup, record, parsed, by)));
        return {};
      });
  if (!committed) state_->lists.With([&](State::Lists& lists) { lists.erase(list); });
  return committed;
}

Status Register::Withdraw(const Withdrawal& withdrawal) {
  if (withdrawal.reason.empty() || withdrawal.reason.size() > kMaxReason ||
      !IsUtf8(withdrawal.reason) || !IsUtf8(withdrawal.by)) {
    return Fail(ErrorCode::kInvalidArgument, "the reason has 1 to 1000 octets of UTF-8");
  }
  const auto work = [&](store::Transaction& transaction, audit::Recorder& recorder) -> Status {
    COMITY_RETURN_IF_ERROR(
        transaction.watchlists().Withdraw(withdrawal.list, withdrawal.reference));
    COMITY_RETURN_IF_ERROR(recorder.Record(WithdrawEvent(state_->setup, withdrawal)));
    return {};
  };
  COMITY_RETURN_IF_ERROR(state_->setup.journal.Commit(work));
  state_->lists.With([&](State::Lists& lists) {
    const auto found = lists.find(withdrawal.list);
    if (found != lists.end()) found->second.Withdraw(withdrawal.reference);
  });
  return {};
}

Result<std::vector<ListStatus>> Register::StatusOf(const std::optional<WatchlistId>& list,
                                                   Instant now) const {
  return state_->lists.With([&](const State::Lists& lists) -> Result<std::vector<ListStatus>> {
    if (list && !lists.contains(*list)) return NoSuchList(*list);
    std::vector<ListStatus> statuses;
    for (const auto& [id, index] : lists) {
      if (!list || *list == id) statuses.push_back(index.CountAt(now));
    }
    return statuses;
  });
}

bool Register::Matches(const WatchlistId& list, std::string_view reference, Instant now) const {
  return state_->lists.With([&](const State::Lists& lists) {
    const auto found = lists.find(list);
    return found != lists.end() && found->second.Matches(reference, now);
  });
}

Status Register::VisitActive(const WatchlistId& list,
                             const std::function<Status(const ActiveEntry&)>& visit) const {
  const auto record =
      state_->lists.With([&](const State::Lists& lists) -> Result<store::WatchlistRecord> {
        const auto found = lists.find(list);
        if (found == lists.end()) return NoSuchList(list);
        return found->second.record();
      });
  if (!record) return Fail(record.error());
  COMITY_ASSIGN_OR_RETURN(const SecretBytes list_key, UnwrapListKey(state_->setup.kek, *record));
  const Instant now = state_->setup.clock.Now();
  const auto open_and_visit = [&](const store::EntryRecord& entry) -> Status {
    if (entry.state != store::EntryState::kActive || entry.expires_at <= now) return {};
    COMITY_ASSIGN_OR_RETURN(const OpenedEntry opened, OpenEntry(list_key, *record, entry));
    return visit({entry.reference, entry.category, opened.response_code, entry.valid_from,
                  entry.expires_at, opened.face_template.Row(0)});
  };
  return state_->setup.store.Read([&](const store::Transaction& transaction) {
    return transaction.watchlists().VisitEntries(list, open_and_visit);
  });
}

}  // namespace comity::watchlists
