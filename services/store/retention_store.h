// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/base/result.h"
#include "policy/model/ids.h"
#include "policy/model/instant.h"
#include "policy/model/retention.h"
#include "services/store/erasure.h"

namespace comity::store {

// A record that still has something to erase.
struct RetainedRecord {
  std::string reference;  // as ErasedRecord::reference
  policy::Instant
      since{};  // what its period counts from; for classes with a date of their own: that
};

// What a class holds that is not erased.
struct RetainedCount {
  std::uint64_t kept = 0;
  std::uint64_t held = 0;                 // of those, under a hold
  std::optional<policy::Instant> oldest;  // RetainedRecord::since of what is erased next; not held
};

// One row for each class and reason of a unit of work: metadata only.
struct ErasureRecord {
  policy::Instant at{};
  std::string record_class;
  std::string reason;
  std::uint64_t records = 0;
  std::uint64_t sequence = 0;  // the ledger's line
  std::int64_t late_ms = 0;    // how long after it was due, for the latest of them; 0: by an act
};

// Kept beyond its period because evidence or the person concerned needs it (RD-4).
struct HoldRecord {
  std::uint64_t number = 0;  // from 1
  std::string record_class;
  std::string reference;  // "*": every record of the class
  std::string reason;     // 1..1000
  policy::PersonId held_by;
  policy::PersonId approved_by;
  policy::Instant held_at{};
  policy::Instant review_by{};
  int told = 0;  // 0: review not due; 1: told that it is due; 2: told that it is overdue
  std::optional<policy::Instant> released_at;
};

// Where a database stands that came out of a backup.
enum class RestorationState {
  kNever = 0,      // no backup
  kCopy = 1,       // a backup's copy that no gateway has opened yet
  kRestored = 2,   // opened; waits for two people
  kConfirmed = 3,  // works again; agreements with a partner once that partner was reached
};
struct RestorationRecord {
  RestorationState state = RestorationState::kNever;
  std::string backup;              // b-<26 characters>
  policy::Instant made_at{};       // of the backup
  LedgerHead ledger;               // the ledger's last line when the backup was made
  std::uint64_t log_size = 0;      // entries in the backup
  std::uint64_t largest_seen = 0;  // largest size of the lost log that the ledger names
  policy::Instant ledger_until{};  // time of the ledger's last line before the restoration
  std::uint64_t replayed = 0;      // records that were erased again
  policy::Instant restored_at{};
  policy::Instant confirmed_at{};
  std::string log_origin;  // of the log that goes on from the backup; empty: the first one
};

// What is due for erasure, what was erased, what is held, and where the node was restored from.
//
// Threads: see store.h.
class RetentionStore {
 public:
  virtual ~RetentionStore() = default;

  // Records of a class whose `since` is at or before `until`, oldest first, without held ones.
  // The store keeps entry, watchlist, alert, audit-payload, justification, message, receipt,
  // holding, deployment, notice.
  // Errors of these four: kInvalidArgument  a class of which the store keeps nothing
  virtual Result<std::vector<RetainedRecord>> Due(policy::RetentionClass record_class,
                                                  policy::Instant until,
                                                  std::uint32_t limit) const = 0;
  virtual Result<RetainedCount> Count(policy::RetentionClass record_class) const = 0;
  // Destroys key and content, held or not; false if there was nothing (left) of it. Notes the
  // erasure. An entry or list that could match is ended with it.
  // In: record  its class is `record_class`
  virtual Result<bool> Erase(policy::RetentionClass record_class, const ErasedRecord& record,
                             policy::Instant at) = 0;
  // Every reference of the class that has something to erase, in no order.
  virtual Status VisitKept(policy::RetentionClass record_class,
                           const std::function<Status(std::string_view)>& visit) const = 0;

  // Whether a hold stops the erasure of this record.
  virtual Result<bool> IsHeld(policy::RetentionClass record_class,
                              std::string_view reference) const = 0;
  // Errors: kConflict  the same is held already
  virtual Result<std::uint64_t> AddHold(const HoldRecord& hold) = 0;
  // Replaces `review_by`, `told` and `released_at`. Errors: kNotFound
  virtual Status ChangeHold(const HoldRecord& hold) = 0;
  virtual Result<std::vector<HoldRecord>> Holds() const = 0;  // not released, by number

  // Stored by the back end for what each unit of work erases.
  virtual Status AddErasure(const ErasureRecord& erasure) = 0;
  // Erasures of [from, to), oldest first, at most `limit`.
  virtual Result<std::vector<ErasureRecord>> Erasures(policy::Instant from, policy::Instant to,
                                                      std::uint32_t limit) const = 0;
  // The ledger's line up to which every line has its effect in this database.
  virtual Result<LedgerHead> Head() const = 0;
  virtual Status SetHead(const LedgerHead& head) = 0;

  virtual Result<RestorationRecord> Restoration() const = 0;
  virtual Status PutRestoration(const RestorationRecord& restoration) = 0;
  // Partners reached since the restoration.
  virtual Result<std::vector<policy::AgencyId>> Reached() const = 0;
  virtual Status NoteReached(const policy::AgencyId& peer) = 0;
};

}  // namespace comity::store
