// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/base/random.h"
#include "crypto/base/result.h"
#include "crypto/base/secret.h"
#include "services/audit/journal.h"
#include "services/casework/alert.h"
#include "services/casework/change_feed.h"
#include "services/casework/hit_report.h"
#include "services/runtime/clock.h"
#include "services/store/store.h"

namespace comity::casework {

// What an AlertDesk stands on; all references must outlive it.
struct AlertDeskSetup {
  store::Store& store;
  audit::Journal& journal;
  const SecretBytes& kek;  // 32 octets; wraps the alert keys
  RandomSource& random;
  const runtime::Clock& clock;
  policy::AgencyId own;
  std::chrono::seconds merge_window{30};
};

struct Raised {
  Alert alert;
  bool merged = false;  // into an alert that was open already
};

struct AcknowledgeOrder {
  std::string id;
  Outcome outcome{};
  std::string note;  // <= 1000
  std::string by;    // who decides
};

// The alerts of this agency's deployments and searches, each encrypted under its own key until it
// expires.
//
// Threads: thread-safe.
class AlertDesk {
 public:
  static constexpr std::size_t kMaxNote = 1000;
  static constexpr std::uint32_t kMaxListed = 1000;

  explicit AlertDesk(AlertDeskSetup setup);
  ~AlertDesk();

  // Stores each hit as a new alert, or merges it into the alert of the same deployment, holder and
  // reference if that one is not acknowledged yet and its last frame is within the merge window.
  // All of them, and one audit entry for each hit, in one commit. Never merged: a hit without
  // deployment or released reference, one with another category or response code, and two hits of
  // one capture.
  //
  // In:     reports  the hits of one probe, at most 100 (an agreement's largest hit cap)
  // Errors: kInvalidArgument  too many, or see CheckHitReport; kCorrupt  the alert to merge into
  // does
  //                           not decrypt; else the journal's
  Result<std::vector<Raised>> RaiseAll(std::span<const HitReport> reports);
  Result<Raised> Raise(const HitReport& report);

  // Newest first. In: limit  0: 100; more than kMaxListed: kMaxListed
  // Errors: kCorrupt  an alert does not decrypt; names it
  Result<std::vector<Alert>> List(policy::Instant now, std::uint32_t limit) const;

  // Records the first outcome; repeating the same outcome returns the alert unchanged.
  // Errors: kInvalidArgument  the note is too long
  //         kNotFound         no such alert, or it has expired
  //         kConflict         another outcome stands
  Result<Alert> Acknowledge(const AcknowledgeOrder& order);

  std::unique_ptr<Subscription> Subscribe();

  // Destroys keys and content of the alerts expired at `now` and says so in the log; returns how
  // many.
  Result<std::uint64_t> EraseExpired(policy::Instant now);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace comity::casework
