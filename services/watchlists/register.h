// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/base/random.h"
#include "crypto/base/result.h"
#include "crypto/base/secret.h"
#include "crypto/sign/ed25519.h"
#include "policy/model/engine_profile.h"
#include "policy/model/ids.h"
#include "policy/model/instant.h"
#include "policy/model/terms.h"
#include "services/audit/journal.h"
#include "services/identity/lone_acts.h"
#include "services/runtime/clock.h"
#include "services/store/store.h"
#include "services/watchlists/definition.h"
#include "services/watchlists/entry_change.h"
#include "services/watchlists/import.h"

namespace comity::watchlists {

// What a Register stands on; all references must outlive it.
struct RegisterSetup {
  store::Store& store;
  audit::Journal& journal;
  const SecretBytes& kek;  // 32 octets; wraps the list keys
  RandomSource& random;
  const runtime::Clock& clock;
  policy::AgencyId own;
  const sign::SigningKey& agency_key;  // signs manifests
  // Passes changes on to partners; null: nobody was ever told of an entry.
  EntryChangeSink* changes = nullptr;
  // How long after a list's end an agreement lets its faces stay; the shortest counts, and never
  // more than 24 hours (WL-12).
  std::function<std::chrono::seconds(const policy::AgreementId&)> list_after_end{};
  // Tells those who oversee what one person does to what was approved; null: nobody is told.
  const identity::LoneActs* lone_acts = nullptr;
};

struct ListCounts {
  std::uint64_t entries = 0;  // that were ever added
  std::uint64_t active = 0;   // would match now if the list is searchable
  std::uint64_t withdrawn = 0;
  std::uint64_t expired = 0;
  std::uint64_t not_yet_valid = 0;
  std::uint64_t stale = 0;       // review is overdue, or what is known of them is too old
  std::uint64_t restricted = 0;  // contested ones included
  std::uint64_t contested = 0;
  std::uint64_t awaiting_approval = 0;
  std::uint64_t under_18 = 0;  // that may match now or later
  // That may match now or later, under the approvals and lifted restrictions that are still to
  // come: what the prediction is made of.
  std::uint64_t prospective = 0;
  std::map<std::string, std::uint64_t> active_by_category;
  std::map<std::string, std::uint64_t> stale_by_category;
  std::map<std::string, std::uint64_t> prospective_by_category;
};

// What is known of one list without opening an entry.
struct ListStatus {
  policy::WatchlistId list;
  store::ListState state{};
  bool searchable = false;  // approved, and within its time
  std::shared_ptr<const ListDefinition> definition;
  std::vector<policy::PersonId> drafters;
  Digest content;
  policy::Instant drafted_at{};
  std::optional<policy::PersonId> approved_by;
  std::optional<policy::Instant> approved_at;
  std::optional<policy::Instant> validated_at;
  std::optional<policy::Instant> closed_at;
  std::optional<policy::Instant> delete_by;
  std::optional<policy::Instant> deleted_at;
  ListCounts counts;
  Prediction prediction;  // of counts.prospective
};
std::string_view Name(store::ListState state);  // "approved"

// One entry with its template, valid during the visit only; the template is wiped after it.
struct ActiveEntry {
  const std::string& reference;
  const policy::ListCategory& category;
  policy::SubjectCategory subject{};
  const std::string& response_code;  // what travels with a hit
  policy::Instant valid_from{};
  policy::Instant until{};  // the first of: it expires, its review is overdue, it is too old
  std::span<const float> face_template;  // unit norm
};

// Takes approved lists into memory as their entries are opened, one list after the other.
//
// Threads: Begin and End are called by the thread that reads, Take by several at a time.
class ListTaker {
 public:
  virtual ~ListTaker() = default;
  // In: most  no more entries come of the list
  virtual Status Begin(const ListDefinition& list, std::size_t most) = 0;
  // In: place  0, 1, ... in the order of adding, each once
  virtual Status Take(std::size_t place, const ActiveEntry& entry) = 0;
  // The entries of all places below `entries` were taken, and no others come. Without it the list
  // is not trustworthy.
  virtual Status End(const ListDefinition& list, std::optional<policy::Instant> validated_at,
                     std::size_t entries) = 0;
};

// One entry for the agency's own people: no face, no key to the person.
struct EntryView {
  store::EntryRecord record;  // without sealed content
  std::string fields;         // canonical JSON; empty once erased
  Digest state;               // names the entry exactly as it stands (StateDigest)
};
// Somebody looks at entries: the log says who and why before they see anything.
struct EntryReading {
  policy::WatchlistId list;
  std::vector<std::string> references;
  std::string reason;  // <= 1000 octets; may be empty
  std::string by;
};

// An entry as it stood when two people were asked about it.
struct EntryInState {
  std::string reference;
  Digest state;
};

struct Withdrawal {
  policy::WatchlistId list;
  std::string reference;
  std::string reason;  // 1..1000 octets; the log holds a commitment
  std::string by;      // who withdraws
};
struct Restriction {
  policy::WatchlistId list;
  std::string reference;
  bool contested = false;  // its accuracy is contested (WL-11)
  std::string reason;      // as above
  std::string by;
};
struct Unrestriction {
  policy::WatchlistId list;
  EntryInState entry;  // the very restriction that is lifted, and no later one
  std::string reason;  // as above
};
struct Correction {
  policy::WatchlistId list;
  std::string reference;
  std::string entry;   // one JSON object as in an import; untrusted
  std::string reason;  // as above
  std::string by;      // a person's id
};
struct Corrected {
  std::vector<std::string> faults;  // none: it is done
  bool awaits_approval = false;     // the entry matches no more until two people approve it
};

// The lists that may be searched under an agreement for a purpose, as they stand at one moment
// (WL-5): what a deployment is told when it begins.
struct Validation {
  struct List {
    policy::WatchlistId list;
    policy::EngineProfile engine;
    double threshold = 1.0;
    ListCounts counts;
  };
  policy::Instant validated_at{};
  std::vector<List> lists;
  std::uint64_t entries = 0;  // that match now
  std::uint64_t stale = 0;    // that are refused until somebody has looked at them again
};

// Entries that housekeeping ended, for whoever holds them in memory.
struct ExpiredEntries {
  policy::WatchlistId list;
  std::vector<std::string> references;
};

// The agency's own lists: what may match, since when and until when. A list is drafted, approved by
// somebody who had no part in the draft, searched, closed and deleted (docs/formats/
// watchlist_definition.md, "Life"). Templates and personal fields rest encrypted, each entry under
// its own key, wrapped under the list's key, wrapped under the key-encryption key; each key is
// bound to the state it stands beside, so that a changed database approves nothing.
//
// Methods that take a transaction are parts of a unit of work; after its commit, and only then,
// Refresh(list) brings memory up to date. All others commit by themselves.
//
// Threads: thread-safe.
class Register {
 public:
  // Removes what an interrupted import has left.
  //
  // In:     taker  is given every approved list as by Load, in the reading that fills the
  //                register's own memory; null: nobody is
  //
  // Errors: kCorrupt  a list key does not open (another key-encryption key, or changed octets), or
  //                   a definition is malformed; names the list. Else the store's, and, with a
  //                   taker, those of Load
  static Result<std::unique_ptr<Register>> Open(RegisterSetup setup, ListTaker* taker = nullptr);
  ~Register();

  // --- drafts
  // In:     yaml  what `definition` was read from
  // Errors: kConflict  a list of this name exists, also a deleted one: names are never used again
  Status Draft(const ListDefinition& definition, std::string_view yaml, const policy::PersonId& by);
  // How entries for this draft are read. Errors: kNotFound; kConflict  it is no draft
  Result<ImportOptions> OptionsFor(const policy::WatchlistId& draft) const;
  // Adds entries to a draft, in several units of work of which no other reader sees anything before
  // the last; all or nothing, also across a crash.
  // Errors: kInvalidArgument  `parsed` has faults or no entry; kNotFound; kConflict  no draft, or a
  //         reference is there already; kExhausted  above the size cap
  Status Add(const policy::WatchlistId& draft, const ParsedImport& parsed,
             const policy::PersonId& by, std::string_view source);
  // What matches in `from`, read again under the rules of the draft `to`; to be added by Add.
  // Errors: kNotFound; kConflict  `from` is not approved, `to` no draft, or of another engine
  Result<ParsedImport> CopyFor(const policy::WatchlistId& from,
                               const policy::WatchlistId& to) const;

  // --- acts of two people, as parts of a unit of work
  struct TwoPeople {
    policy::PersonId proposer;
    policy::PersonId approver;  // the proposer, in an emergency
  };
  // Whether the draft can be approved as it stands, and what is approved.
  // Errors: kNotFound; kConflict  no draft, an import is under way, no entry, over, too large or
  //         above its false-alert budget
  Result<ListStatus> CheckApprovable(const policy::WatchlistId& draft) const;
  // In:     content  ListStatus::content that was proposed
  // Errors: as above; kConflict  the draft has changed; kPermissionDenied  the approver drafted it
  Status Approve(store::Transaction& transaction, audit::Recorder& recorder,
                 const policy::WatchlistId& draft, const Digest& content,
                 const TwoPeople& people) const;
  // Lets entries match that need a further approval (WL-3), or that a correction altered.
  // Errors: kNotFound; kConflict  an entry does not wait for approval, is not what was proposed, or
  //         the list is over; kPermissionDenied  the approver drafted or altered something in it
  Status ClearEntries(store::Transaction& transaction, audit::Recorder& recorder,
                      const policy::WatchlistId& list, std::span<const EntryInState> entries,
                      const TwoPeople& people) const;
  // Errors: kNotFound; kConflict  the entry is not restricted, is not what was proposed (corrected,
  //         or restricted anew), or has ended
  Status Unrestrict(store::Transaction& transaction, audit::Recorder& recorder,
                    const Unrestriction& unrestriction, const TwoPeople& people) const;

  // Brings memory up to date with what is stored of the list and of these entries, and says to the
  // change sink that what it saw is durable.
  Status Refresh(const policy::WatchlistId& list, std::span<const std::string> references = {});

  // --- acts of one person
  // On return the entry's key and content are destroyed and Matches() is false for it.
  // Errors: kInvalidArgument  reason empty or too long
  //         kNotFound         no such list or entry
  //         kConflict         it has ended already
  Status Withdraw(const Withdrawal& withdrawal);
  // On return Matches() is false for the entry; content stays.
  // Errors: as above; kConflict  it has ended or is restricted so already
  Status Restrict(const Restriction& restriction);
  // Replaces fields, never the face. On an approved list it widens nothing: validity does not begin
  // earlier nor end later, and an entry that needs a further approval keeps needing it. What was
  // approved of the entry (all but validity, review, reliability and whether the person is
  // identified) is changed by two: until somebody else approves it, the entry does not match and
  // partners are told that it is restricted.
  // Errors: as Withdraw
  Result<Corrected> Correct(const Correction& correction);
  // Ends all matching and signs the manifest. Returns by when the faces are deleted.
  // Errors: kInvalidArgument, kNotFound; kConflict  closed already
  Result<policy::Instant> Close(const policy::WatchlistId& list, std::string_view reason,
                                std::string_view by);

  // --- housekeeping
  // Erases entries that have expired.
  Result<std::vector<ExpiredEntries>> ExpireDue(policy::Instant now);
  // Closes lists, drafts too, whose time is over.
  Result<std::vector<policy::WatchlistId>> CloseDue(policy::Instant now);
  // Destroys keys and faces of closed lists whose time has come; manifests stay. Returns how many
  // lists were deleted.
  Result<std::uint64_t> DeleteDue(policy::Instant now);

  // --- reading
  // In: list  absent: all of them, in the order of their names. Errors: kNotFound  no such list
  Result<std::vector<ListStatus>> StatusOf(const std::optional<policy::WatchlistId>& list,
                                           policy::Instant now) const;
  // The definition as it was drafted. Errors: kNotFound
  Result<std::string> DefinitionOf(const policy::WatchlistId& list) const;
  // For decisions within the gateway; nobody may be shown `fields` (Read).
  // Errors: kNotFound; kCorrupt
  Result<EntryView> View(const policy::WatchlistId& list, std::string_view reference) const;
  // What people are shown: recorded first.
  // Errors: as View; kInvalidArgument  the reason is too long
  Result<std::vector<EntryView>> Read(const EntryReading& reading) const;
  // Whether a hit of the entry may be told now: the last look before it is.
  bool Matches(const policy::WatchlistId& list, std::string_view reference,
               policy::Instant now) const;
  // Calls `visit` for each entry of an approved list that may match now or later without a further
  // act, in the order of adding; stops at its first error. Entries are opened on all cores, some
  // hundreds ahead of the visits, which are all made in the calling thread.
  //
  // Errors: kNotFound  no such list; kConflict  it is not approved
  //         kCorrupt   an entry does not decrypt; names list and reference. Entries visited before
  //                    must not be used: the list as a whole is not trustworthy.
  Status VisitActive(const policy::WatchlistId& list,
                     const std::function<Status(const ActiveEntry&)>& visit) const;
  // The same entries for `taker`, opened and taken on all cores in no order. Errors: as above, and
  // those of `taker`
  Status Load(const policy::WatchlistId& list, ListTaker& taker) const;
  // As VisitActive for these entries, in this order; those that match no more, or never were, are
  // left out. All of them are of one moment.
  Status VisitActive(const policy::WatchlistId& list, std::span<const std::string> references,
                     const std::function<Status(const ActiveEntry&)>& visit) const;
  Validation ValidationOf(const policy::AgreementId& agreement, const policy::PurposeCode& purpose,
                          policy::Instant now) const;
  // The same, remembered: from it on the lists count as re-validated at `now`.
  Result<Validation> Revalidate(const policy::AgreementId& agreement,
                                const policy::PurposeCode& purpose, policy::Instant now);

 private:
  struct State;
  explicit Register(std::unique_ptr<State> state);
  Status LoadAdded(const policy::WatchlistId& draft);
  Status BlankDeleted();
  std::unique_ptr<State> state_;
};

}  // namespace comity::watchlists
