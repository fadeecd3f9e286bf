// SPDX-License-Identifier: Apache-2.0
#include "services/watchlists/register_state.h"

#include <algorithm>

#include "crypto/base/utf8.h"
#include "crypto/hash/sha256.h"
#include "policy/model/retention.h"
#include "services/audit/events.h"
#include "services/identity/visible_text.h"
#include "services/store/retention_store.h"
#include "services/watchlists/entry_opener.h"
#include "services/watchlists/entry_seal.h"
#include "services/watchlists/list_events.h"

namespace comity::watchlists {
namespace {

using policy::WatchlistId;

constexpr std::size_t kMaxReason = 1000;
constexpr std::uint32_t kPage = 5000;
constexpr std::uint32_t kRemoved = 5000;  // entries in one unit of work

Status CheckStored(const WatchlistId& list, const store::EntryRecord& entry) {
  if (entry.state != store::EntryState::kActive || !entry.wrapped_key.empty()) return {};
  return Fail(ErrorCode::kCorrupt, "watchlist " + list.text() + ", entry " + entry.reference +
                                       ": it is active but has no key");
}

}  // namespace

Status EndContent(const store::Transaction& transaction, const WatchlistId& list,
                  store::EntryRecord& entry) {
  COMITY_ASSIGN_OR_RETURN(const bool held,
                          transaction.retention().IsHeld(policy::RetentionClass::kEntry,
                                                         list.text() + "/" + entry.reference));
  if (!held) entry.wrapped_key.clear();
  return {};
}

Result<bool> HasHeldEntry(const store::Transaction& transaction, const WatchlistId& list) {
  COMITY_ASSIGN_OR_RETURN(const auto holds, transaction.retention().Holds());
  return std::ranges::any_of(holds, [&](const store::HoldRecord& hold) {
    return hold.record_class == policy::Name(policy::RetentionClass::kEntry) &&
           (hold.reference == "*" || hold.reference.starts_with(list.text() + "/"));
  });
}

tl::unexpected<Error> NoSuchList(const WatchlistId& list) {
  return Fail(ErrorCode::kNotFound, "no watchlist " + list.text());
}

Status CheckReason(std::string_view reason, std::string_view by) {
  if (!IsUtf8(by)) return Fail(ErrorCode::kInvalidArgument, "who gives the reason is no UTF-8");
  return identity::CheckVisibleText("the reason", reason, kMaxReason);
}

Result<std::shared_ptr<const ListDefinition>> ReadDefinition(const store::WatchlistRecord& record) {
  ParsedDefinition parsed = ParseDefinition(record.definition);
  if (parsed.definition && parsed.definition->reference == record.reference) {
    return std::make_shared<const ListDefinition>(*std::move(parsed.definition));
  }
  return Fail(ErrorCode::kCorrupt,
              "watchlist " + record.reference.text() + ": its stored definition is malformed");
}

Result<TakenList> TakeList(const store::Transaction& transaction, const RegisterSetup& setup,
                           const WatchlistId& list) {
  TakenList taken;
  COMITY_ASSIGN_OR_RETURN(taken.record, transaction.watchlists().List(list));
  if (taken.record.state == store::ListState::kDeleted) {
    return Fail(ErrorCode::kConflict, "watchlist " + list.text() + " is deleted");
  }
  COMITY_ASSIGN_OR_RETURN(taken.key, UnwrapListKey(setup.kek, taken.record));
  return taken;
}

Status PutList(store::Transaction& transaction, const RegisterSetup& setup, TakenList& list) {
  list.record.wrapped_key = WrapListKey(setup.kek, list.key, list.record, setup.random);
  return transaction.watchlists().ChangeList(list.record);
}

Result<store::EntryRecord> TakeEntry(const store::Transaction& transaction, const WatchlistId& list,
                                     std::string_view reference) {
  COMITY_ASSIGN_OR_RETURN(store::EntryRecord entry,
                          transaction.watchlists().Entry(list, reference));
  if (entry.state == store::EntryState::kActive) return entry;
  return Fail(ErrorCode::kConflict, entry.state == store::EntryState::kWithdrawn
                                        ? "the entry is withdrawn already"
                                        : "the entry has expired");
}

void AddDrafter(store::WatchlistRecord& record, const policy::PersonId& person) {
  auto& drafters = record.drafters;
  if (std::ranges::find(drafters, person) == drafters.end()) drafters.push_back(person);
}

bool IsFree(const store::EntryRecord& entry) {
  return entry.state == store::EntryState::kActive &&
         entry.restriction == store::EntryRestriction::kNone &&
         entry.clearance != store::EntryClearance::kPending;
}

Digest Chained(const Digest& content, std::string_view change, ByteView octets) {
  return hash::Sha256({content.view(), AsBytes(change), octets});
}

bool WasApproved(const store::WatchlistRecord& list) {
  return list.approved_at.has_value();
}

Status Tell(store::Transaction& transaction, audit::Recorder& recorder, const RegisterSetup& setup,
            const store::WatchlistRecord& list, EntryChange change) {
  if (setup.changes == nullptr || !WasApproved(list)) return {};
  COMITY_ASSIGN_OR_RETURN(const auto definition, ReadDefinition(list));
  change.list = list.reference;
  change.deadline = change.at + kChangeDeadline;
  change.agreements = definition->agreements;
  return setup.changes->OnChange(transaction, recorder, change);
}

Status TellOversight(store::Transaction& transaction, audit::Recorder& recorder,
                     const RegisterSetup& setup, const store::WatchlistRecord& list,
                     identity::LoneAct act) {
  if (setup.lone_acts == nullptr || !WasApproved(list)) return {};
  act.on = "list " + list.reference.text();
  return setup.lone_acts->Tell(transaction, recorder, act);
}

namespace {

// A list whose key was opened, with its definition.
struct KeyedList {
  const store::WatchlistRecord& record;
  const ListDefinition& definition;
  const SecretBytes& key;
};

// Whether the entry may match now or later without a further act.
bool MayMatch(const store::EntryRecord& entry, policy::Instant until, policy::Instant now) {
  return IsFree(entry) && std::max(now, entry.valid_from) < until;
}

// Gives `taker` what may match of the list and `index`, if there is one, every entry.
Status ReadForTaker(const store::WatchlistStore& lists, const KeyedList& list, policy::Instant now,
                    ListTaker& taker, ListIndex* index) {
  const WatchlistId& id = list.record.reference;
  COMITY_ASSIGN_OR_RETURN(const std::uint64_t most, lists.CountEntries(id));
  COMITY_RETURN_IF_ERROR(taker.Begin(list.definition, most));
  if (index != nullptr) index->Reserve(most);
  EntryOpener opener(id, [&taker](std::size_t place, const ActiveEntry& entry) {
    return taker.Take(place, entry);
  });
  COMITY_RETURN_IF_ERROR(lists.VisitEntries(id, [&](store::EntryRecord entry) -> Status {
    if (index != nullptr) {
      COMITY_RETURN_IF_ERROR(CheckStored(id, entry));
      index->Add(entry);
    }
    const policy::Instant until = MatchesUntil(entry, list.definition);
    if (!MayMatch(entry, until, now)) return {};
    return opener.Take(std::move(entry), until, list.key, list.definition.engine.dimension);
  }));
  COMITY_RETURN_IF_ERROR(opener.Finish());
  return taker.End(list.definition, list.record.validated_at, opener.taken());
}

Status IndexEntries(const store::WatchlistStore& lists, ListIndex& index) {
  const WatchlistId& id = index.record().reference;
  for (std::uint64_t after = 0;;) {
    COMITY_ASSIGN_OR_RETURN(const auto page, lists.EntryPage(id, after, kPage));
    for (const store::EntryRecord& entry : page) {
      COMITY_RETURN_IF_ERROR(CheckStored(id, entry));
      index.Add(entry);
    }
    if (page.size() < kPage) return {};
    after = page.back().position;
  }
}

}  // namespace

Result<ListIndex> LoadList(const store::WatchlistStore& lists, store::WatchlistRecord record,
                           const RegisterSetup& setup, ListTaker* taker) {
  COMITY_ASSIGN_OR_RETURN(auto definition, ReadDefinition(record));
  ListIndex index(std::move(record), std::move(definition));
  if (index.record().state == store::ListState::kDeleted) return index;
  COMITY_ASSIGN_OR_RETURN(const SecretBytes key, UnwrapListKey(setup.kek, index.record()));
  if (taker == nullptr || index.record().state != store::ListState::kApproved) {
    COMITY_RETURN_IF_ERROR(IndexEntries(lists, index));
    return index;
  }
  COMITY_RETURN_IF_ERROR(ReadForTaker(lists, {index.record(), *index.definition(), key},
                                      setup.clock.Now(), *taker, &index));
  return index;
}

namespace {

// Calls `entries` with the lists of a snapshot and the approved list.
Status ReadApproved(
    const RegisterSetup& setup, const WatchlistId& list,
    const std::function<Status(const store::WatchlistStore&, const KeyedList&)>& entries) {
  return setup.store.Read([&](const store::Transaction& transaction) -> Status {
    COMITY_ASSIGN_OR_RETURN(const TakenList taken, TakeList(transaction, setup, list));
    if (taken.record.state != store::ListState::kApproved) {
      return Fail(ErrorCode::kConflict, "watchlist " + list.text() + " is not approved");
    }
    COMITY_ASSIGN_OR_RETURN(const auto definition, ReadDefinition(taken.record));
    return entries(transaction.watchlists(), {taken.record, *definition, taken.key});
  });
}

Status VisitIfMatching(store::EntryRecord entry, const KeyedList& list, policy::Instant now,
                       const VisitMatch& visit) {
  const policy::Instant until = MatchesUntil(entry, list.definition);
  if (!MayMatch(entry, until, now)) return {};
  return visit({std::move(entry), list.key, list.definition, until});
}

}  // namespace

Status VisitMatching(const RegisterSetup& setup, const WatchlistId& list, const VisitMatch& visit) {
  const policy::Instant now = setup.clock.Now();
  return ReadApproved(setup, list, [&](const auto& lists, const KeyedList& approved) {
    return lists.VisitEntries(list, [&](store::EntryRecord entry) {
      return VisitIfMatching(std::move(entry), approved, now, visit);
    });
  });
}

Status VisitMatchingOf(const RegisterSetup& setup, const WatchlistId& list,
                       std::span<const std::string> references, const VisitMatch& visit) {
  const policy::Instant now = setup.clock.Now();
  const auto each = [&](const store::WatchlistStore& lists, const KeyedList& approved) -> Status {
    for (const std::string& reference : references) {
      auto entry = lists.Entry(list, reference);
      if (!entry && entry.error().code == ErrorCode::kNotFound) continue;
      if (!entry) return Fail(entry.error());
      COMITY_RETURN_IF_ERROR(VisitIfMatching(*std::move(entry), approved, now, visit));
    }
    return {};
  };
  return ReadApproved(setup, list, each);
}

Status LoadMatching(const RegisterSetup& setup, const WatchlistId& list, ListTaker& taker) {
  const policy::Instant now = setup.clock.Now();
  return ReadApproved(setup, list, [&](const auto& lists, const KeyedList& approved) {
    return ReadForTaker(lists, approved, now, taker, nullptr);
  });
}

Status RemoveImport(const RegisterSetup& setup, const WatchlistId& list) {
  std::uint64_t removed = 0;
  for (bool more = true; more;) {
    const auto work = [&](store::Transaction& transaction, audit::Recorder& recorder) -> Status {
      COMITY_ASSIGN_OR_RETURN(store::WatchlistRecord record, transaction.watchlists().List(list));
      more = false;
      if (!record.importing) return {};  // it ended after all
      COMITY_ASSIGN_OR_RETURN(const std::uint64_t count, transaction.watchlists().RemoveEntries(
                                                             list, record.imports, kRemoved));
      more = count == kRemoved;
      removed += count;
      if (more) return {};
      record.importing = false;
      COMITY_RETURN_IF_ERROR(transaction.watchlists().ChangeList(record));
      COMITY_RETURN_IF_ERROR(
          recorder.Record(ListEvent(audit::kImportRemoved, setup.own, list, setup.clock.Now(), {},
                                    {{"entries", static_cast<std::int64_t>(removed)}})));
      return {};
    };
    COMITY_RETURN_IF_ERROR(setup.journal.Commit(work));
  }
  return {};
}

}  // namespace comity::watchlists
