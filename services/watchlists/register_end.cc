// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <utility>

#include "crypto/base/encoding.h"
#include "services/audit/events.h"
#include "services/watchlists/list_events.h"
#include "services/watchlists/register_state.h"

// How entries and lists end.
namespace comity::watchlists {

using policy::Instant;
using policy::WatchlistId;

namespace {

constexpr std::chrono::hours kMostAfterEnd{24};
constexpr std::size_t kExpiredAtOnce = 100;
constexpr std::uint32_t kErasedAtOnce = 2000;
constexpr std::string_view kGateway = "gateway";

// Within how long after its end a list's faces go.
std::chrono::seconds AfterEnd(const RegisterSetup& setup, const ListDefinition& definition) {
  std::chrono::seconds shortest = kMostAfterEnd;
  if (!setup.list_after_end) return shortest;
  for (const policy::AgreementId& agreement : definition.agreements) {
    shortest = std::min(shortest, setup.list_after_end(agreement));
  }
  return std::max(shortest, std::chrono::seconds(0));
}

struct Closing {
  std::string reason;
  std::string by;
};

Result<Instant> CloseIn(store::Transaction& transaction, audit::Recorder& recorder,
                        const RegisterSetup& setup, const WatchlistId& list,
                        const Closing& closing) {
  const Instant now = setup.clock.Now();
  COMITY_ASSIGN_OR_RETURN(TakenList taken, TakeList(transaction, setup, list));
  store::WatchlistRecord& record = taken.record;
  if (record.state == store::ListState::kClosed) {
    return Fail(ErrorCode::kConflict, "watchlist " + list.text() + " is closed already");
  }
  if (record.importing) return Fail(ErrorCode::kConflict, "an import into the list is under way");
  COMITY_ASSIGN_OR_RETURN(const auto definition, ReadDefinition(record));
  record.state = store::ListState::kClosed;
  // A list whose time was over has matched nobody since, whenever this is noticed.
  record.closed_at = std::min(now, definition->ends_at);
  // A draft serves nobody any more.
  record.delete_by = WasApproved(record) ? *record.closed_at + AfterEnd(setup, *definition) : now;
  COMITY_ASSIGN_OR_RETURN(ClosedManifest manifest, MakeManifest(transaction, setup, record));
  record.manifest = std::move(manifest.head);
  COMITY_RETURN_IF_ERROR(PutList(transaction, setup, taken));
  EntryChange change;
  change.kind = ChangeKind::kListClosed;
  change.at = now;
  COMITY_RETURN_IF_ERROR(Tell(transaction, recorder, setup, record, std::move(change)));
  COMITY_RETURN_IF_ERROR(
      recorder.Record(ListEvent(audit::kWatchlistClosed, setup.own, list, now,
                                {{"reason", closing.reason},
                                 {"operator", closing.by},
                                 {"manifest", EncodeHex(manifest.root.view())}},
                                {{"entries", static_cast<std::int64_t>(manifest.rows)}})));
  return *record.delete_by;
}

// Ends those of the entries that have expired and nobody ended meanwhile; returns them.
Result<std::vector<std::string>> ExpireIn(store::Transaction& transaction,
                                          audit::Recorder& recorder, const RegisterSetup& setup,
                                          const ExpiredEntries& due) {
  const Instant now = setup.clock.Now();
  std::vector<std::string> ended;
  std::string lines;
  COMITY_ASSIGN_OR_RETURN(const store::WatchlistRecord record,
                          transaction.watchlists().List(due.list));
  for (const std::string& reference : due.references) {
    COMITY_ASSIGN_OR_RETURN(store::EntryRecord entry,
                            transaction.watchlists().Entry(due.list, reference));
    if (entry.state != store::EntryState::kActive || entry.expires_at > now) continue;
    entry.state = store::EntryState::kExpired;
    entry.ended_at = entry.expires_at;
    COMITY_RETURN_IF_ERROR(EndContent(transaction, due.list, entry));
    COMITY_RETURN_IF_ERROR(transaction.watchlists().ChangeEntry(due.list, entry));
    EntryChange change;
    change.reference = reference;
    change.kind = ChangeKind::kExpired;
    change.at = now;
    COMITY_RETURN_IF_ERROR(Tell(transaction, recorder, setup, record, std::move(change)));
    lines += (lines.empty() ? "" : "\n") + reference;
    ended.push_back(reference);
  }
  if (ended.empty()) return ended;
  COMITY_RETURN_IF_ERROR(recorder.Record(
      ListEvent(audit::kEntriesExpired, setup.own, due.list, now, {{"references", lines}},
                {{"entries", static_cast<std::int64_t>(ended.size())}})));
  return ended;
}

}  // namespace

Result<Instant> Register::Close(const WatchlistId& list, std::string_view reason,
                                std::string_view by) {
  COMITY_RETURN_IF_ERROR(CheckReason(reason, by));
  const RegisterSetup& setup = state_->setup;
  Instant delete_by{};
  const auto work = [&](store::Transaction& transaction, audit::Recorder& recorder) -> Status {
    COMITY_ASSIGN_OR_RETURN(delete_by, CloseIn(transaction, recorder, setup, list,
                                               {std::string(reason), std::string(by)}));
    COMITY_ASSIGN_OR_RETURN(const auto record, transaction.watchlists().List(list));
    return TellOversight(
        transaction, recorder, setup, record,
        {identity::Act::kWatchlistClose,
         {},
         "the list was closed; its faces go by " + policy::EncodeInstant(delete_by),
         std::string(by)});
  };
  COMITY_RETURN_IF_ERROR(setup.journal.Commit(work));
  COMITY_RETURN_IF_ERROR(Refresh(list));
  return delete_by;
}

Result<std::vector<ExpiredEntries>> Register::ExpireDue(Instant now) {
  const RegisterSetup& setup = state_->setup;
  std::vector<ExpiredEntries> due = state_->lists.With([&](const State::Lists& lists) {
    std::vector<ExpiredEntries> found;
    for (const auto& [id, index] : lists) {
      const store::ListState state = index.record().state;
      if (state == store::ListState::kClosed || state == store::ListState::kDeleted) continue;
      auto references = index.Expired(now, index.size());
      if (!references.empty()) found.push_back({id, std::move(references)});
    }
    return found;
  });
  std::vector<ExpiredEntries> expired;
  for (const ExpiredEntries& all : due) {
    ExpiredEntries& done = expired.emplace_back();
    done.list = all.list;
    for (std::size_t from = 0; from < all.references.size(); from += kExpiredAtOnce) {
      const auto begin = all.references.begin() + static_cast<std::ptrdiff_t>(from);
      const auto count = std::min(kExpiredAtOnce, all.references.size() - from);
      const ExpiredEntries some{
          all.list, std::vector<std::string>(begin, begin + static_cast<std::ptrdiff_t>(count))};
      std::vector<std::string> ended;
      const auto work = [&](store::Transaction& transaction, audit::Recorder& recorder) -> Status {
        COMITY_ASSIGN_OR_RETURN(ended, ExpireIn(transaction, recorder, setup, some));
        return {};
      };
      COMITY_RETURN_IF_ERROR(setup.journal.Commit(work));
      COMITY_RETURN_IF_ERROR(Refresh(all.list, ended));
      done.references.insert(done.references.end(), ended.begin(), ended.end());
    }
  }
  return expired;
}

Result<std::vector<WatchlistId>> Register::CloseDue(Instant now) {
  const auto due = state_->lists.With([&](const State::Lists& lists) {
    std::vector<WatchlistId> found;
    for (const auto& [id, index] : lists) {
      const store::WatchlistRecord& record = index.record();
      const bool ended =
          record.state == store::ListState::kClosed || record.state == store::ListState::kDeleted;
      if (!ended && !record.importing && index.definition()->ends_at <= now) found.push_back(id);
    }
    return found;
  });
  for (const WatchlistId& list : due) {
    COMITY_RETURN_IF_ERROR(Close(list, "its time is over", kGateway));
  }
  return due;
}

Result<std::uint64_t> Register::DeleteDue(Instant now) {
  const RegisterSetup& setup = state_->setup;
  const auto due = state_->lists.With([&](const State::Lists& lists) {
    std::vector<WatchlistId> found;
    for (const auto& [id, index] : lists) {
      const store::WatchlistRecord& record = index.record();
      if (record.state == store::ListState::kClosed && *record.delete_by <= now) {
        found.push_back(id);
      }
    }
    return found;
  });
  std::uint64_t deleted = 0;
  for (const WatchlistId& list : due) {
    bool held = false;
    const auto destroy_key = [&](store::Transaction& transaction,
                                 audit::Recorder& recorder) -> Status {
      COMITY_ASSIGN_OR_RETURN(held, HasHeldEntry(transaction, list));
      if (held) return {};
      COMITY_ASSIGN_OR_RETURN(TakenList taken, TakeList(transaction, setup, list));
      taken.record.state = store::ListState::kDeleted;
      taken.record.deleted_at = setup.clock.Now();
      taken.record.wrapped_key.clear();
      COMITY_RETURN_IF_ERROR(transaction.watchlists().ChangeList(taken.record));
      COMITY_RETURN_IF_ERROR(
          recorder.Record(ListEvent(audit::kWatchlistDeleted, setup.own, list,
                                    *taken.record.deleted_at, {}, {{"lists", 1}})));
      return {};
    };
    COMITY_RETURN_IF_ERROR(setup.journal.Commit(destroy_key));
    if (held) continue;
    ++deleted;
    state_->to_blank.With([&](std::set<WatchlistId>& lists) { lists.insert(list); });
    COMITY_RETURN_IF_ERROR(Refresh(list));
  }
  COMITY_RETURN_IF_ERROR(BlankDeleted());
  return deleted;
}

// No key opens these octets any more; they go all the same, in small units of work.
Status Register::BlankDeleted() {
  const auto lists =
      state_->to_blank.With([](const std::set<WatchlistId>& to_blank) { return to_blank; });
  for (const WatchlistId& list : lists) {
    std::uint64_t erased = kErasedAtOnce;
    while (erased == kErasedAtOnce) {
      COMITY_RETURN_IF_ERROR(
          state_->setup.store.Write([&](store::Transaction& transaction) -> Status {
            COMITY_ASSIGN_OR_RETURN(erased,
                                    transaction.watchlists().EraseEntries(list, kErasedAtOnce));
            return {};
          }));
    }
    state_->to_blank.With([&](std::set<WatchlistId>& to_blank) { to_blank.erase(list); });
  }
  return {};
}

}  // namespace comity::watchlists
