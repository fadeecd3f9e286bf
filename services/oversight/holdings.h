// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/base/result.h"
#include "policy/model/decision.h"
#include "policy/model/ids.h"
#include "policy/model/instant.h"
#include "services/audit/journal.h"
#include "services/oversight/outbox.h"
#include "services/oversight/partner_content.h"
#include "services/runtime/clock.h"
#include "services/store/holding_store.h"
#include "services/store/store.h"

namespace comity::oversight {

// Entries of ours that one answer told a partner of.
struct Told {
  policy::AgencyId partner;
  policy::AgreementRef agreement;
  std::string answer;               // exchange id of the answer
  std::uint32_t released = 0;       // bits of store::HoldingRecord
  std::chrono::seconds kept_for{};  // how long the agreement lets the partner keep it
  struct Entry {
    policy::WatchlistId list;
    std::string reference;
  };
  std::vector<Entry> entries;
};

struct ChangedEntry {
  policy::WatchlistId list;
  std::string reference;      // empty: every entry of the list
  std::string_view change;    // of entry_change
  std::string category;       // corrected: as of now
  std::string response_code;  // corrected: as of now
};

// Who holds one of our entries, and whether it knows what happened to the entry.
struct Holder {
  store::HoldingRecord holding;
  // The message about the last change; absent: the partner was told of none.
  std::optional<policy::Instant> sent_at;  // when it was stored
  std::optional<policy::Instant> due_by;
  std::optional<policy::Instant> acknowledged_at;
  std::string refused;  // the code of the partner's refusal
  std::string receipt;  // DSSE JSON by the partner; empty until acknowledged

  // It was told of the entry, and has not said that it erased it.
  bool holds() const;
};

// Which partner was told of which entry, and that each learns what happens to it (WL-10). A partner
// that was never told of an entry never learns its reference this way.
//
// Threads: thread-safe.
class Holdings {
 public:
  static constexpr std::chrono::hours kDeadline{48};

  struct Setup {
    Outbox& outbox;
    const runtime::Clock& clock;
  };
  explicit Holdings(Setup setup) : setup_(std::move(setup)) {}

  // Within the unit of work that makes an answer durable. If an entry changed while the answer was
  // being made, the partner is sent the change as well.
  Status Remember(store::Transaction& transaction, audit::Recorder& recorder, const Told& told);

  // Within the unit of work that changes the entries: one message for each partner that was told of
  // any of them (more when they do not fit into one). Returns how many partners.
  Result<std::uint64_t> Pass(store::Transaction& transaction, audit::Recorder& recorder,
                             std::span<const ChangedEntry> changes);

  // Passes on what became of entries in a moment that a crash cut short: it was erased, and the
  // unit of work that would have told partners did not commit. At start, before anything is
  // answered. Returns how many entries.
  Result<std::uint64_t> PassUntold(store::Transaction& transaction, audit::Recorder& recorder);

  // By list, partner and agreement.
  static Result<std::vector<Holder>> HoldersOf(const store::Transaction& transaction,
                                               std::string_view reference);

 private:
  // What one partner is to learn, and of which entry it is.
  struct Item {
    EntryNews news;
    policy::WatchlistId list;
    std::string reference;
  };
  using ByPartner = std::map<policy::AgencyId, std::vector<Item>>;

  // What the partners that were told of the entry are to learn of `change`.
  // In: only  this partner; absent: all
  static Status Collect(const store::Transaction& transaction,
                        const store::EntryChangeRecord& change,
                        const std::optional<policy::AgencyId>& only, ByPartner& items);
  Status Send(store::Transaction& transaction, audit::Recorder& recorder,
              const policy::AgencyId& partner, std::span<const Item> items);
  Status SendOne(store::Transaction& transaction, audit::Recorder& recorder,
                 const policy::AgencyId& partner, std::span<const Item> items);

  Setup setup_;
};

}  // namespace comity::oversight
