// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
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
#include "services/audit/journal.h"
#include "services/casework/alert.h"
#include "services/casework/change_feed.h"
#include "services/casework/hit_opening.h"
#include "services/casework/hit_report.h"
#include "services/casework/outcome_observer.h"
#include "services/identity/lone_acts.h"
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
  OutcomeObserver* outcomes = nullptr;            // null: nobody is told
  const identity::LoneActs* lone_acts = nullptr;  // null: nobody is told of openings
};

struct Raised {
  Alert alert;
  bool merged = false;     // into an alert that was open already
  bool withdrawn = false;  // no alert: the holder has withdrawn the entry since its answer
};

// What a holder says of an entry behind alerts of ours.
struct HolderChange {
  policy::AgencyId holder;
  std::string reference;             // empty: it was not released
  std::vector<std::string> answers;  // then: exchange ids of the answers
  std::string change;                // withdrawn, expired, corrected, restricted, unrestricted
  policy::Instant at{};              // by the holder's clock
  std::optional<policy::ListCategory> category{};  // corrected
  std::string response_code{};                     // corrected
};

struct EndedAgreement {
  policy::AgreementId agreement;
  std::uint32_t version = 0;               // up to it
  std::optional<policy::AgencyId> holder;  // of the entries; absent: any
};

// What a unit of work did to alerts.
struct ChangedAlerts {
  std::uint64_t alerts = 0;
  std::uint64_t acknowledged = 0;  // of them, those with an outcome
  std::uint64_t held = 0;          // of them, those that ended and keep their content for a hold
  std::function<void()> publish;   // to be called once it is durable: readers see it
};

struct AcknowledgeOrder {
  std::string id;
  Outcome outcome{};
  std::string note;  // <= 1000
  std::string by;    // who decides
};

struct OpenOrder {
  std::string id;
  std::string reason;  // 1..1000
  std::string by;      // the auditor
};

// What opens the sealed probes behind an alert. Biometric; secret.
struct OpenedAlert {
  std::string id;
  policy::AgencyId holder;
  struct Frame {
    std::string exchange_id;
    HitOpening opening;
  };
  std::vector<Frame> frames;  // of those that are kept, the sealed ones; never empty
};

// The alerts of this agency's deployments and searches, each encrypted under its own key until it
// expires.
//
// Threads: thread-safe.
class AlertDesk {
 public:
  static constexpr std::size_t kMaxNote = 1000;
  static constexpr std::size_t kMaxReason = 1000;
  static constexpr std::uint32_t kMaxListed = 1000;

  explicit AlertDesk(AlertDeskSetup setup);
  ~AlertDesk();

  // Stores each hit as a new alert, or merges it into the alert of the same deployment, holder and
  // reference if that one is not acknowledged yet and its last frame is within the merge window.
  // All of them, one audit entry for each hit and what `also` does after them, in one commit: an
  // error of any is an error of all. Never merged: a hit without
  // deployment or released reference, one with another category or response code, and two hits of
  // one capture. A hit on an entry that the holder has withdrawn, let expire or restricted since
  // its answer becomes no alert.
  //
  // In:     reports  the hits of one probe, at most 100 (an agreement's largest hit cap); none:
  //                  nothing is done
  //         also     may be empty; may be called more than once
  // Errors: kInvalidArgument  too many, or see CheckHitReport; kCorrupt  the alert to merge into
  // does
  //                           not decrypt; those of `also`; else the journal's
  Result<std::vector<Raised>> RaiseAll(std::span<const HitReport> reports,
                                       const audit::Journal::Work& also = {});
  Result<Raised> Raise(const HitReport& report);

  // Newest first. In: limit  0: 100; more than kMaxListed: kMaxListed
  // Errors: kCorrupt  an alert does not decrypt; names it
  Result<std::vector<Alert>> List(policy::Instant now, std::uint32_t limit) const;

  // Records the first outcome; repeating the same outcome returns the alert unchanged.
  // Errors: kInvalidArgument  the note is too long
  //         kNotFound         no such alert, or it has expired
  //         kConflict         another outcome stands
  Result<Alert> Acknowledge(const AcknowledgeOrder& order);

  // Opens the sealed probes of an alert that has not ended, whatever its outcome; durably logged
  // before it returns.
  // Errors: kInvalidArgument  no reason, or it is too long
  //         kNotFound         no such alert, it has expired or was withdrawn, or no frame of it was
  //                           searched sealed
  //         kCorrupt          an opening does not decrypt, or has another form
  Result<OpenedAlert> Open(const OpenOrder& order);

  // Within a unit of work. Alerts on an entry that is withdrawn or has expired lose key and content
  // and leave the open list (of one that is held, the content stays until the hold is released);
  // corrections are taken over; restrictions are noted.
  // Errors: kCorrupt  an alert does not decrypt; those of store and log
  Result<ChangedAlerts> Apply(store::Transaction& transaction, audit::Recorder& recorder,
                              std::span<const HolderChange> changes);
  // Within a unit of work: alerts under the agreement lose key and content, or as above leave the
  // open list if they are held. Errors: as above
  Result<ChangedAlerts> EraseUnder(store::Transaction& transaction, audit::Recorder& recorder,
                                   const EndedAgreement& ended);

  std::unique_ptr<Subscription> Subscribe();

  // Destroys keys and content of the alerts expired at `now` and says so in the log; returns how
  // many.
  Result<std::uint64_t> EraseExpired(policy::Instant now);

 private:
  struct State;
  Status NoteStopped(store::Transaction& transaction, const HolderChange& change) const;
  std::unique_ptr<State> state_;
};

}  // namespace comity::casework
