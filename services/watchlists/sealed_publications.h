// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/base/random.h"
#include "crypto/base/result.h"
#include "crypto/base/secret.h"
#include "crypto/sealed/profile.h"
#include "crypto/sealed/release_budget.h"
#include "crypto/sign/ed25519.h"
#include "policy/model/decision.h"
#include "policy/model/ids.h"
#include "policy/model/instant.h"
#include "services/audit/journal.h"
#include "services/identity/lone_acts.h"
#include "services/runtime/clock.h"
#include "services/store/sealed_list_store.h"
#include "services/store/store.h"
#include "services/watchlists/register.h"
#include "services/watchlists/sealed_epoch.h"

namespace comity::watchlists {

// What the agreement's permission lets be sealed, and for how long.
struct SealingTerms {
  std::function<bool(const ActiveEntry&)> takes;  // subject categories of the permission
  std::chrono::seconds max_age{};                 // the shortest of 24 h and the agreement's; > 0
  sealed::Scales scales;                          // dimension: that of the list's engine
  std::function<void(std::uint64_t done, std::uint64_t of)> progress{};  // entries; may be null
};

// What bringing a list up to date came to.
struct Brought {
  bool changed = false;
  std::uint64_t entries = 0;  // that take part in searches from now on
  // When it is due again if nothing changes before: an entry's validity begins, or less than half
  // of max_age is left.
  policy::Instant next{};
};

// One epoch as the store knows it, for people and gauges.
struct SealedListStatus {
  SealedScope scope;
  Digest header;
  std::uint64_t epoch = 0;
  store::SealedListState state{};
  policy::Instant sealed_at{};
  policy::Instant valid_until{};
  std::uint64_t sequence = 0;
  std::uint64_t held_sequence = 0;           // what the partner holds, as it said; 0: nothing yet
  std::optional<policy::Instant> erased_at;  // by the partner, as it said
  std::optional<policy::Instant> ended_at;
  std::string end_reason;
  std::uint64_t entries = 0;  // that take part; 0 once ended
};

// The holder's sealed lists: makes them, keeps their secrets, follows the watchlists.
//
// At rest: header, state, handles (slot -> reference) and block roots under the sealed list's key,
// that key under the key-encryption key, all in the store; the sealed blocks in files under
// `folder`. Shredding destroys the key in the store, lets go of the secrets in memory (they are
// wiped when the last search that has them ends) and removes the files: every copy anywhere is then
// useless.
//
// An epoch that another one followed stays searchable for a partner that holds it until it holds
// the new one, unless the new one has a higher threshold; entries are withdrawn from both.
//
// Threads: thread-safe. No method may be called within a unit of work but those that take a
// transaction.
class SealedPublications {
 public:
  struct Setup {  // all references must outlive the object
    store::Store& store;
    audit::Journal& journal;
    const SecretBytes& kek;
    RandomSource& random;
    const runtime::Clock& clock;
    policy::AgencyId own;
    const sign::SigningKey& agency_key;
    Register& lists;
    std::filesystem::path folder;  // made with mode 0700
    // Tells those who oversee of what a person shreds; null: nobody is told.
    const identity::LoneActs* lone_acts = nullptr;
  };
  // Loads what is in force; removes what an interrupted sealing left. A list that does not open, or
  // a block of which is not on disk, is ended: it is made anew from the watchlist.
  // Errors: those of store, journal and folder
  static Result<std::unique_ptr<SealedPublications>> Open(Setup setup);
  ~SealedPublications();

  // Brings the sealed list of the scope up to date with its watchlist as it stands now: seals a
  // first epoch; puts entries that match anew into new blocks; tombstones those that match no more;
  // seals again blocks whose release budget is used up; begins a new epoch when less than half of
  // max_age is left, the terms are others, or tombstones or blocks are too many (more than 4 x
  // ceil(N / 1024) blocks, a quarter withdrawn). A list without a matching entry is not sealed, or
  // ended. One at a time, others wait. Logged: sealed-list-published.
  //
  // Errors: kNotFound, kConflict  the list is not approved, or was shredded meanwhile
  //         kInvalidArgument      the engine's dimension is not that of the scales, the scales are
  //                               no profile, or a template cannot be sealed: names the entry
  //         kExhausted            more entries than slot numbers
  //         those of store, journal and disk. What was in force stays.
  Result<Brought> Bring(const SealedScope& scope, const SealingTerms& terms, policy::Instant now);
  // Seals again the blocks of the scope's newest epoch whose release budget is used up, and looks
  // at no other entry: a search waits for it. False: the list takes a Bring.
  // Errors: as Bring
  Result<bool> SealAgain(const SealedScope& scope, const SealingTerms& terms, policy::Instant now);
  // Tombstones in every sealed list of this watchlist: on return no later search has them. Logged:
  // sealed-list-withdrawn. Does nothing if no sealed list has them.
  Status Withdraw(const policy::WatchlistId& list, std::span<const std::string> references);
  // Takes scopes that match out of force and destroys their keys (agreement ended or superseded,
  // list closed, a person's act), one that is being sealed too. Returns how many had a key. Logged,
  // one each: sealed-list-shredded. In: reason  not empty; by  who did it, not empty
  // Errors: kInvalidArgument  the reason is no visible text of 1..1000 octets; those of the store.
  //         Then nothing is shredded.
  Result<std::uint64_t> Shred(const std::function<bool(const SealedScope&)>& which,
                              std::string_view reason, std::string_view by);
  // Ends epochs whose time is over, and superseded ones whose partner holds the next one; forgets
  // what ended 30 days ago.
  Status Housekeep(policy::Instant now);

  using Epoch = SealedEpoch;
  using EpochPtr = SealedEpochPtr;
  // The newest epoch of each list.
  std::vector<EpochPtr> InForce(const policy::AgencyId& requester,
                                const policy::AgreementRef& agreement,
                                const policy::PurposeCode& purpose, policy::Instant now) const;
  // Superseded ones too. Errors: kNotFound  no such list may be searched by this requester now
  Result<EpochPtr> Find(const Digest& header, const policy::AgencyId& requester,
                        policy::Instant now) const;
  // How often something came into force or went out of it since the start.
  std::uint64_t changes() const;
  // Waits until `changes()` is not `seen` any more, at most until `until`.
  void AwaitChange(std::uint64_t seen, std::chrono::steady_clock::time_point until) const;
  // Waits for a change that is just being made durable, if there is one, at most until `until`: the
  // store has it a moment before it is in force, and a list that IsStale no more is then not yet
  // the next one.
  void AwaitCommit(std::chrono::steady_clock::time_point until) const;
  // Octets of an encoded block of the newest epoch's state from `offset`, at most `limit`.
  // Errors: kNotFound         no such block (any more): the state has changed
  //         kInvalidArgument  an offset beyond the end
  //         kUnavailable      disk
  Result<Bytes> ReadBlock(const Digest& header, std::uint32_t number, const Digest& hash,
                          std::uint64_t offset, std::size_t limit) const;

  // One answer that is to leave.
  struct Charge {
    Digest header;
    std::uint64_t sequence = 0;        // of the state that the search was made under
    std::vector<std::uint32_t> slots;  // the answer's hits, slot numbers
    bool over_cap = false;             // instead of hits: counts for every block
  };
  // The release budget, within the unit of work that records the answer: decides and counts.
  // kStaleBlock: the search is refused, which is recorded in the same unit of work (a refusal may
  // exhaust a block); blocks that are used up are sealed again by the next Bring. Also when a block
  // was sealed again, or is gone, since the search began: it was searched under a root that counts
  // no more.
  //
  // Errors: kNotFound  the list has ended: nothing may leave; kInvalidArgument  hits besides
  //         over_cap; those of the store
  static Result<sealed::Release> ChargeRelease(store::Transaction& transaction,
                                               const Charge& charge);
  // What ChargeRelease would say to an answer without hits, under the state of that sequence.
  // Errors: kNotFound  the list has ended; those of the store
  Result<sealed::Release> LookAtRelease(const Digest& header, std::uint64_t sequence) const;
  // Whether a block of the list has no budget left: a search is refused before it begins. True too
  // if that cannot be found out.
  bool IsStale(const Digest& header) const;
  // Whether the scope's newest epoch is stale.
  bool NeedsBring(const SealedScope& scope) const;
  // The scope whose newest epoch this is; nothing: a former one, or one that has ended. A former
  // one is never sealed again. Reads memory only.
  std::optional<SealedScope> NewestOf(const Digest& header) const;

  // What the partner says of its copy, as parts of a unit of work. Logged:
  // sealed-list-acknowledged, sealed-copy-erased.
  // Errors: kNotFound          no such list is known (any more: a restored node)
  //         kPermissionDenied  the list was made for somebody else
  //         kInvalidArgument   a sequence that was never signed
  //         those of store and journal
  Status NoteHeld(store::Transaction& transaction, audit::Recorder& recorder,
                  const policy::AgencyId& partner, const Digest& header,
                  std::uint64_t sequence) const;
  Status NoteErased(store::Transaction& transaction, audit::Recorder& recorder,
                    const policy::AgencyId& partner, const Digest& header) const;

  // All epochs that are not forgotten, in the order of sealing.
  Result<std::vector<SealedListStatus>> StatusOf() const;

  // For auditors: whether the stored roots and the entries give the published block hashes.
  struct Audit {
    std::vector<std::uint32_t> verified;   // numbers of blocks
    std::vector<std::uint32_t> differing;  // sealed from other templates than the list has
    // Nobody can tell: a template is missing, of slots that the signed state says are withdrawn,
    std::vector<std::uint32_t> withdrawn;
    // or of one that takes part. For moments true of an honest list too: until an entry that
    // matches no more is withdrawn from it.
    std::vector<std::uint32_t> unaccounted;
  };
  // Errors: kNotFound  not in force; kConflict  it has changed meanwhile; those of
  //         Register::VisitActive and of the store
  Result<Audit> AuditReseal(const Digest& header) const;
  struct AuditedList {
    EpochPtr epoch;  // as it was looked at
    Audit audit;
  };
  // The same of every sealed list in force that was made of this watchlist, for whatever partner,
  // superseded ones and those that come into force meanwhile too; what ends meanwhile is left out.
  // Logged, each as soon as it has been looked at: sealed-list-audited.
  // In:     by            who asked, not empty
  //         is_cancelled  asked before each block; may be null
  // Errors: kConflict     one has changed twice while it was looked at
  //         kUnavailable  cancelled
  //         else as above. What was looked at before is logged.
  Result<std::vector<AuditedList>> AuditLists(const policy::WatchlistId& list, std::string_view by,
                                              const std::function<bool()>& is_cancelled = {}) const;

 private:
  struct State;
  class Bringing;
  Result<Audit> AuditEpoch(const SealedEpoch& epoch,
                           const std::function<bool()>& is_cancelled) const;
  Result<std::optional<AuditedList>> AuditIfInForce(
      const Digest& header, const std::function<bool()>& is_cancelled) const;
  explicit SealedPublications(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace comity::watchlists
