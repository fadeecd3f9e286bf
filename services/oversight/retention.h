// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "crypto/base/result.h"
#include "policy/model/ids.h"
#include "policy/model/retention.h"
#include "services/audit/journal.h"
#include "services/identity/notices.h"
#include "services/oversight/erasure_ledger.h"
#include "services/runtime/clock.h"
#include "services/runtime/logging.h"
#include "services/store/retention_store.h"
#include "services/store/store.h"

namespace comity::oversight {

// What is kept of one class, and when it goes.
struct ClassStatus {
  policy::RetentionClass record_class{};
  bool stored = false;  // false: the gateway keeps none of it
  std::uint64_t kept = 0;
  std::uint64_t held = 0;
  std::uint64_t due = 0;      // now; at most kMostCounted
  std::uint64_t overdue = 0;  // of those, for longer than kGrace
  std::optional<policy::Instant> next_due;
};

// Erased of one class for one reason.
struct ErasedCount {
  std::string record_class;
  std::string reason;
  std::uint64_t records = 0;
  std::int64_t late_ms = 0;  // of the latest
};

struct ErasureReport {
  std::vector<ErasedCount> erased;
  std::uint64_t overdue = 0;
  std::uint64_t held = 0;
  bool whole = true;  // false: the period has too many rows to add up
};

// Erases what is past its period, about every ten seconds, in units of work so small that nobody
// waits for them. What was erased is in the ledger before it commits, and in the log with it.
//
// Threads: thread-safe.
class RetentionDesk {
 public:
  static constexpr std::chrono::seconds kGrace{60};
  static constexpr std::uint32_t kMostCounted = 10'000;
  static constexpr std::uint32_t kMostRows = 100'000;

  // A class whose records somebody else erases first, since they also stand in memory or partners
  // are told. Returns how many.
  struct Eraser {
    policy::RetentionClass record_class{};
    std::function<Result<std::uint64_t>(policy::Instant now)> erase;
  };
  // References must outlive the object; `journal` writes to `store`.
  struct Setup {
    store::Store& store;
    audit::Journal& journal;
    identity::Notices& notices;
    ErasureLedger& ledger;
    policy::AgencyId own;
    const runtime::Clock& clock;
    std::vector<Eraser> erasers;
  };
  explicit RetentionDesk(Setup setup);
  ~RetentionDesk();

  // Erases all that is due now and not held; returns what it erased.
  // Errors: those of the first class that failed, when all others were done
  Result<std::vector<ErasedCount>> Run();
  // Run, and what is due besides: tells of what is overdue and of holds to review, destroys the
  // keys of expired backups, notes the log's size in the ledger. Errors: as above
  Status Housekeep();

  Result<std::vector<ClassStatus>> Due() const;
  // Of [from, to).
  Result<ErasureReport> ReportOf(policy::Instant from, policy::Instant to) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace comity::oversight
