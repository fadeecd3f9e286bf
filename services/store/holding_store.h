// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/base/result.h"
#include "policy/model/ids.h"
#include "policy/model/instant.h"

namespace comity::store {

// One partner was told of one of our entries under one agreement.
struct HoldingRecord {
  policy::WatchlistId list;
  std::string reference;
  policy::AgencyId partner;
  policy::AgreementId agreement;
  std::uint32_t version = 0;   // of the agreement, the last time
  std::uint32_t released = 0;  // what of the entry it knows: the bits below
  policy::Instant first_told_at{};
  policy::Instant told_at{};     // the last time
  policy::Instant held_until{};  // by then the partner has erased it, as the agreement says
  std::uint64_t times = 0;
  std::string change;         // what it was last told of the entry; empty: nothing
  std::uint64_t message = 0;  // the outbox number of that; 0: none

  static constexpr std::uint32_t kReference = 1;  // else it knows the answers only
  static constexpr std::uint32_t kCategory = 2;
  static constexpr std::uint32_t kResponseCode = 4;
  bool Knows(std::uint32_t item) const { return (released & item) != 0; }
};

// What last happened to one of our entries.
struct EntryChangeRecord {
  policy::WatchlistId list;
  std::string reference;
  std::string change;
  std::string category;       // of a correction
  std::string response_code;  // of a correction
  policy::Instant at{};
};

// Something to be deleted because an agreement ended: what `holder` holds under it. `holder` is a
// partner, who is sent an order, or the agency itself.
struct DeletionRecord {
  policy::AgreementId agreement;
  std::uint32_t version = 0;
  policy::AgencyId holder;
  policy::Instant ordered_at{};
  policy::Instant due_by{};
  std::uint64_t message = 0;  // the outbox number of the order; 0: the agency itself
  std::optional<policy::Instant> done_at;
  std::uint64_t erased = 0;  // records, as the holder counts them
};

// A partner said at `at` (its clock) that nothing may rest any more on its entry `subject`: a
// reference, or the exchange id of an answer.
struct PartnerWithdrawal {
  policy::AgencyId holder;
  std::string subject;
  policy::Instant at{};
  policy::Instant received_at{};
};

// Which partner was told of which entry, what was said of it since, and what must be deleted.
//
// Threads: see store.h.
class HoldingStore {
 public:
  virtual ~HoldingStore() = default;
  // Remembers that `holding.partner` was told at `holding.told_at`: a new holding or once more.
  // `change` and `message` start empty. `answer` is the exchange id of the answer; kept when the
  // reference was not released.
  virtual Status Told(const HoldingRecord& holding, std::string_view answer) = 0;
  // Of every list with an entry of this reference, by list, partner and agreement.
  virtual Result<std::vector<HoldingRecord>> OfReference(std::string_view reference) const = 0;
  virtual Result<std::vector<HoldingRecord>> OfEntry(const policy::WatchlistId& list,
                                                     std::string_view reference) const = 0;
  // The answers by which `partner` knows the entry without its reference, oldest first.
  virtual Result<std::vector<std::string>> Answers(const policy::WatchlistId& list,
                                                   std::string_view reference,
                                                   const policy::AgencyId& partner) const = 0;
  // `partner` is told of a change of the entry with the outbox message `message`.
  virtual Status NoteChange(const policy::WatchlistId& list, std::string_view reference,
                            const policy::AgencyId& partner, std::string_view change,
                            std::uint64_t message) = 0;
  // References of the list's entries that any partner was told of, in order, none twice.
  virtual Result<std::vector<std::string>> ToldOf(const policy::WatchlistId& list) const = 0;
  // Inserts or replaces what last happened to the entry; without a reference: to all of the list.
  virtual Status PutChange(const EntryChangeRecord& change) = 0;
  // The later of what happened to the entry and to all of its list; at one time the list's.
  virtual Result<std::optional<EntryChangeRecord>> LastChange(const policy::WatchlistId& list,
                                                              std::string_view reference) const = 0;
  // Entries that a partner was told of and that are withdrawn or expired without a recorded change:
  // a crash between the erasure and its commit leaves them, since what was erased stays erased.
  // `change` is withdrawn or expired; `at` is not known.
  virtual Result<std::vector<EntryChangeRecord>> Untold() const = 0;
  // Forgets what `partner` was told under the agreement up to `version`; returns how many.
  virtual Result<std::uint64_t> ForgetUnder(const policy::AgreementId& agreement,
                                            std::uint32_t version,
                                            const policy::AgencyId& partner) = 0;

  // A later `at` or `received_at` replaces an earlier one of this holder and subject.
  virtual Status NoteWithdrawn(const PartnerWithdrawal& withdrawal) = 0;
  virtual Result<std::optional<policy::Instant>> WithdrawnAt(const policy::AgencyId& holder,
                                                             std::string_view subject) const = 0;
  // Those received before.
  virtual Status ForgetWithdrawn(policy::Instant before) = 0;

  // Errors: kConflict  one of this agreement, version and holder is stored
  virtual Status AddDeletion(const DeletionRecord& deletion) = 0;
  // Errors: kNotFound; kConflict  done already
  virtual Status FinishDeletion(const DeletionRecord& deletion) = 0;  // takes done_at and erased
  // In the order of storing.
  virtual Result<std::vector<DeletionRecord>> Deletions() const = 0;
};

}  // namespace comity::store
