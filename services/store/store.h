// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/base/result.h"
#include "services/store/records.h"

// The narrow interfaces behind which both back ends (SQLite, PostgreSQL) stand: one per aggregate.
// Reads are const, so whoever is given a const Transaction cannot write.
//
// Errors of every method unless said otherwise: kUnavailable (disk full, locked, lost connection),
// kCorrupt (the database does not hold what it must), kInternal.
// Threads: an object of these classes is used by the thread that runs the unit of work, in it.
namespace comity::store {

class AgreementStore {
 public:
  virtual ~AgreementStore() = default;
  // Storing the same document again changes nothing.
  // Errors: kConflict  another document of this id and version is stored
  virtual Status AddDocument(const AgreementDocumentRecord& document) = 0;
  // Errors: kConflict  this statement is stored already
  virtual Status AddStatement(const StatementRecord& statement) = 0;
  virtual Result<std::vector<AgreementDocumentRecord>> Documents() const = 0;
  // In the order they were received.
  virtual Result<std::vector<StatementRecord>> Statements() const = 0;
};

class WatchlistStore {
 public:
  virtual ~WatchlistStore() = default;
  // Errors: kConflict  a list of this reference exists
  virtual Status AddList(const WatchlistRecord& list) = 0;
  // Replaces everything but reference, definition and drafted_at.
  // Errors: kNotFound
  virtual Status ChangeList(const WatchlistRecord& list) = 0;
  virtual Result<std::vector<WatchlistRecord>> Lists() const = 0;  // in the order of drafting
  // Errors: kNotFound
  virtual Result<WatchlistRecord> List(const policy::WatchlistId& reference) const = 0;
  // Adds to the list's import number `batch` (not 0); while the list is `importing`, the entries of
  // its last import are not there for any reader.
  // Errors: kConflict  two entries have one reference: nothing was added
  virtual Status AddEntries(const policy::WatchlistId& list, std::uint64_t batch,
                            std::span<const EntryRecord> entries) = 0;
  // Removes entries of an import for good, at most `limit`; returns how many.
  virtual Result<std::uint64_t> RemoveEntries(const policy::WatchlistId& list, std::uint64_t batch,
                                              std::uint32_t limit) = 0;
  // Replaces the entry of this reference. An empty key erases its content; under a key, empty
  // sealed content stays what it was.
  // Errors: kNotFound
  virtual Status ChangeEntry(const policy::WatchlistId& list, const EntryRecord& entry) = 0;
  // Erases keys and content of at most `limit` entries that have some; returns how many.
  virtual Result<std::uint64_t> EraseEntries(const policy::WatchlistId& list,
                                             std::uint32_t limit) = 0;
  // Errors: kNotFound
  virtual Result<EntryRecord> Entry(const policy::WatchlistId& list,
                                    std::string_view reference) const = 0;
  // Calls `visit` for each entry in the order of adding; stops at its first error.
  virtual Status VisitEntries(const policy::WatchlistId& list,
                              const std::function<Status(EntryRecord)>& visit) const = 0;
  // Those after position `after`, in that order, at most `limit`, without sealed content.
  virtual Result<std::vector<EntryRecord>> EntryPage(const policy::WatchlistId& list,
                                                     std::uint64_t after,
                                                     std::uint32_t limit) const = 0;
  // How many entries of the list have a key, also of an import that has not ended.
  virtual Result<std::uint64_t> CountEntries(const policy::WatchlistId& list) const = 0;
  // The lists that have, or had, an entry of this reference, in the order of adding.
  virtual Result<std::vector<policy::WatchlistId>> ListsOf(std::string_view reference) const = 0;
};

class AlertStore {
 public:
  virtual ~AlertStore() = default;
  // Inserts or replaces the alert of this id. Without key and content it is erased.
  virtual Status Put(const AlertRecord& alert) = 0;
  // Errors: kNotFound
  virtual Result<AlertRecord> Get(std::string_view id) const = 0;
  // The newest alert of this entry in this deployment, if any: what a further frame merges into.
  virtual Result<std::optional<AlertRecord>> FindLatest(const policy::DeploymentId& deployment,
                                                        const policy::AgencyId& holder,
                                                        std::string_view reference) const = 0;
  // Alerts neither withdrawn nor expired at `now`, newest first, at most `limit`.
  virtual Result<std::vector<AlertRecord>> Open(policy::Instant now, std::uint32_t limit) const = 0;
  // Alerts of this entry that still have content. In: reference  not empty
  virtual Result<std::vector<AlertRecord>> OfReference(const policy::AgencyId& holder,
                                                       std::string_view reference) const = 0;
  // Alerts that this answer without a reference raised and that still have content. `answer` empty:
  // those of which it is not known, of an old schema.
  virtual Result<std::vector<AlertRecord>> OfAnswer(const policy::AgencyId& holder,
                                                    std::string_view answer) const = 0;
  // Alerts under any version of the agreement that still have content, and those of an old schema.
  virtual Result<std::vector<AlertRecord>> OfAgreement(
      const policy::AgreementId& agreement) const = 0;
  // Erases key, content and reference of alerts expired at `now` that no hold keeps, the oldest
  // first, at most kMostErased; returns how many.
  static constexpr std::uint32_t kMostErased = 256;
  virtual Result<std::uint64_t> EraseExpired(policy::Instant now) = 0;
  // What is left of a deployment's alerts: how many are not erased, and when the last of them is
  // due.
  struct Left {
    std::uint64_t alerts = 0;
    policy::Instant last_due{};
  };
  virtual Result<Left> LeftOf(const policy::DeploymentId& deployment) const = 0;
};

class AuditStore {
 public:
  virtual ~AuditStore() = default;
  // Appends one entry at index Size() and its payload; returns the index. `exchange` is the
  // exchange id that the entry names, empty if none: what OfExchange finds it by.
  virtual Result<std::uint64_t> Append(ByteView entry, std::string_view exchange,
                                       const AuditPayloadRecord& payload) = 0;
  virtual Result<std::uint64_t> Size() const = 0;
  // Entries [from, from + count), fewer at the end of the log.
  virtual Result<std::vector<AuditEntryRecord>> Read(std::uint64_t from,
                                                     std::uint64_t count) const = 0;
  // Entries of this exchange (not the empty one), oldest first, at most `limit`.
  virtual Result<std::vector<AuditEntryRecord>> OfExchange(std::string_view exchange,
                                                           std::uint32_t limit) const = 0;
  // Errors: kNotFound  no entry of this index
  virtual Result<AuditPayloadRecord> Payload(std::uint64_t index) const = 0;
  // By index, the payloads of entries [from, from + count) that have at most `max_sealed` sealed
  // octets: those of a kind that is short are read many at a time, whatever lies between them.
  virtual Result<std::map<std::uint64_t, AuditPayloadRecord>> ShortPayloads(
      std::uint64_t from, std::uint64_t count, std::uint32_t max_sealed) const = 0;
};

// The last checkpoint that was signed. A log never signs a smaller or a different one of that size.
class CheckpointStore {
 public:
  virtual ~CheckpointStore() = default;
  virtual Result<std::optional<CheckpointRecord>> Latest() const = 0;
  // Errors: kConflict  a checkpoint of this or a larger size is stored
  virtual Status Save(const CheckpointRecord& checkpoint) = 0;
};

// Counters that are reserved before use, so that a crash can only over-count.
class CapacityStore {
 public:
  virtual ~CapacityStore() = default;
  // What one counter counts: probes of `requester` at `holder` under `agreement` on `day` (UTC day
  // of the holder, 2026-11-25), for the permission `clause`; all of them, or those of `subject`.
  struct Key {
    policy::AgreementId agreement;
    std::string clause;
    policy::AgencyId requester;
    std::string day;
    std::string subject{};  // empty: all; else a pseudonym of an officer or a case, 1..80
    auto operator<=>(const Key&) const = default;
  };
  // A number above every limit for a day of which a restored node does not know what was counted.
  virtual Result<std::uint64_t> Reserved(const Key& key) const = 0;
  // Adds `amount` to the counter and returns its new value.
  virtual Result<std::uint64_t> Reserve(const Key& key, std::uint64_t amount) = 0;
  // Drops the counters of days before `day`: pseudonyms are kept no longer than they are needed.
  virtual Status Forget(std::string_view day) = 0;
};

// Exchange ids seen, kept for the replay window.
class ReplayStore {
 public:
  virtual ~ReplayStore() = default;
  // Errors: kConflict  `id` of `sender` is remembered already
  virtual Status Remember(const policy::AgencyId& sender, std::string_view id,
                          policy::Instant keep_until) = 0;
  virtual Status Forget(policy::Instant now) = 0;  // drops what is past its keep_until
};

// Aggregates with a header of their own, services/store/<name>_store.h.
class BoundTables;
class DeploymentStore;
class AgreementLifeStore;
class PersonStore;
class ApprovalStore;
class NoticeStore;
class SettingStore;
class PeerStore;
class OutboxStore;
class StopStore;
class HitStore;
class HoldingStore;
class RetentionStore;
class SealedCopyStore;
class SealedListStore;

// All aggregates within one unit of work.
class Transaction {
 public:
  virtual ~Transaction() = default;
  virtual AgreementStore& agreements() = 0;
  virtual AgreementLifeStore& agreement_life() = 0;
  virtual WatchlistStore& watchlists() = 0;
  virtual DeploymentStore& deployments() = 0;
  virtual AlertStore& alerts() = 0;
  virtual AuditStore& audit() = 0;
  virtual CheckpointStore& checkpoints() = 0;
  virtual CapacityStore& capacity() = 0;
  virtual ReplayStore& replays() = 0;
  virtual PersonStore& people() = 0;
  virtual ApprovalStore& approvals() = 0;
  virtual NoticeStore& notices() = 0;
  virtual SettingStore& settings() = 0;
  virtual PeerStore& peers() = 0;
  virtual OutboxStore& outbox() = 0;
  virtual StopStore& stops() = 0;
  virtual HitStore& hits() = 0;
  virtual HoldingStore& holdings() = 0;
  virtual RetentionStore& retention() = 0;
  virtual SealedCopyStore& sealed_copies() = 0;
  virtual SealedListStore& sealed_lists() = 0;
  virtual BoundTables& bound_tables() = 0;
  virtual const AgreementStore& agreements() const = 0;
  virtual const AgreementLifeStore& agreement_life() const = 0;
  virtual const WatchlistStore& watchlists() const = 0;
  virtual const DeploymentStore& deployments() const = 0;
  virtual const AlertStore& alerts() const = 0;
  virtual const AuditStore& audit() const = 0;
  virtual const CheckpointStore& checkpoints() const = 0;
  virtual const CapacityStore& capacity() const = 0;
  virtual const ReplayStore& replays() const = 0;
  virtual const PersonStore& people() const = 0;
  virtual const ApprovalStore& approvals() const = 0;
  virtual const NoticeStore& notices() const = 0;
  virtual const SettingStore& settings() const = 0;
  virtual const PeerStore& peers() const = 0;
  virtual const OutboxStore& outbox() const = 0;
  virtual const StopStore& stops() const = 0;
  virtual const HitStore& hits() const = 0;
  virtual const HoldingStore& holdings() const = 0;
  virtual const RetentionStore& retention() const = 0;
  virtual const SealedCopyStore& sealed_copies() const = 0;
  virtual const SealedListStore& sealed_lists() const = 0;
  virtual const BoundTables& bound_tables() const = 0;
};

// A database. Threads: thread-safe.
class Store {
 public:
  virtual ~Store() = default;
  // Runs `work` alone and returns once its writes are durable, or after its first error with
  // nothing written. Units of work that wait at the same time share one commit (group commit): each
  // stands or falls for itself. `work` must not block on anything but the store, nor call the
  // store.
  virtual Status Write(const std::function<Status(Transaction&)>& work) = 0;
  // Runs `work` on a consistent snapshot.
  virtual Status Read(const std::function<Status(const Transaction&)>& work) const = 0;
};

}  // namespace comity::store
