// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "crypto/base/result.h"
#include "crypto/base/secret.h"
#include "services/runtime/guarded.h"
#include "services/watchlists/list_index.h"
#include "services/watchlists/register.h"

// What the parts of Register share; for register*.cc and acts.cc only.
namespace comity::watchlists {

struct Register::State {
  using Lists = std::map<policy::WatchlistId, ListIndex>;

  explicit State(RegisterSetup given) : setup(std::move(given)) {}

  RegisterSetup setup;
  runtime::Guarded<Lists> lists;
  std::mutex drafting;    // one import at a time
  std::mutex refreshing;  // memory follows the store in the store's order
  // Deleted lists whose entries may still have octets that no key opens any more.
  runtime::Guarded<std::set<policy::WatchlistId>> to_blank;
};

// Ends the content of an entry that matches no more: its key is destroyed, unless a hold keeps it
// as evidence (RD-4).
Status EndContent(const store::Transaction& transaction, const policy::WatchlistId& list,
                  store::EntryRecord& entry);
// Whether a hold keeps an entry of the list: then the list's key stays too.
Result<bool> HasHeldEntry(const store::Transaction& transaction, const policy::WatchlistId& list);

tl::unexpected<Error> NoSuchList(const policy::WatchlistId& list);
Status CheckReason(std::string_view reason, std::string_view by);
Result<std::shared_ptr<const ListDefinition>> ReadDefinition(const store::WatchlistRecord& record);

// One list within a unit of work, its key opened: hence neither state nor approval was tampered
// with.
struct TakenList {
  store::WatchlistRecord record;
  SecretBytes key;
};
// Errors: kNotFound; kConflict  deleted: it has no key; kCorrupt
Result<TakenList> TakeList(const store::Transaction& transaction, const RegisterSetup& setup,
                           const policy::WatchlistId& list);
// Stores the changed list, its key wrapped for the new state.
Status PutList(store::Transaction& transaction, const RegisterSetup& setup, TakenList& list);

// One active entry within a unit of work. Errors: kNotFound; kConflict  it has ended
Result<store::EntryRecord> TakeEntry(const store::Transaction& transaction,
                                     const policy::WatchlistId& list, std::string_view reference);

// Who made or changed what the list says: nobody of them approves it.
void AddDrafter(store::WatchlistRecord& record, const policy::PersonId& person);
// Whether neither a restriction nor a missing approval keeps the entry from matching.
bool IsFree(const store::EntryRecord& entry);

// A draft's digest after a further change of it.
Digest Chained(const Digest& content, std::string_view change, ByteView octets);

// Whether partners may have been told of the list's entries.
bool WasApproved(const store::WatchlistRecord& list);
// Passes a change on if somebody may have been told of the entry.
Status Tell(store::Transaction& transaction, audit::Recorder& recorder, const RegisterSetup& setup,
            const store::WatchlistRecord& list, EntryChange change);
// Tells those who oversee of what one person did to a list that was approved: a draft serves
// nobody yet. In: act  `on` is filled in
Status TellOversight(store::Transaction& transaction, audit::Recorder& recorder,
                     const RegisterSetup& setup, const store::WatchlistRecord& list,
                     identity::LoneAct act);

// Loads list and entries; takes no part in a unit of work. An approved list is given to `taker`, if
// there is one, in the same reading.
Result<ListIndex> LoadList(const store::WatchlistStore& lists, store::WatchlistRecord record,
                           const RegisterSetup& setup, ListTaker* taker);
// Removes the entries of an import that did not end.
Status RemoveImport(const RegisterSetup& setup, const policy::WatchlistId& list);

// Calls `visit` for each entry of an approved list that may match now or later without a further
// act, in the order of adding.
// Errors: kNotFound; kConflict  the list is not approved; the first of `visit`
struct MatchingEntry {
  store::EntryRecord record;
  const SecretBytes& list_key;
  const ListDefinition& definition;
  policy::Instant until{};
};
using VisitMatch = std::function<Status(MatchingEntry)>;
Status VisitMatching(const RegisterSetup& setup, const policy::WatchlistId& list,
                     const VisitMatch& visit);
// The same for these entries, in this order; those that match no more, or never were, are left out.
Status VisitMatchingOf(const RegisterSetup& setup, const policy::WatchlistId& list,
                       std::span<const std::string> references, const VisitMatch& visit);
// Register::Load.
Status LoadMatching(const RegisterSetup& setup, const policy::WatchlistId& list, ListTaker& taker);

// Signs the manifest of a list that is being closed; returns the root of its rows and their number.
struct ClosedManifest {
  std::string head;  // DSSE JSON
  Digest root;
  std::uint64_t rows = 0;
};
Result<ClosedManifest> MakeManifest(const store::Transaction& transaction,
                                    const RegisterSetup& setup, const store::WatchlistRecord& list);

}  // namespace comity::watchlists
