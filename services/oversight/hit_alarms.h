// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <mutex>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "crypto/base/result.h"
#include "policy/model/decision.h"
#include "services/audit/journal.h"
#include "services/identity/notices.h"
#include "services/oversight/hit_watch.h"
#include "services/oversight/stops.h"
#include "services/runtime/clock.h"
#include "services/store/store.h"

namespace comity::oversight {

// Whose searches a probe counts among.
struct WatchedSearch {
  enum class Side { kHolder, kRequester };  // which of the two this gateway is
  Side side{};
  policy::AgreementRef agreement;
  policy::AgencyId partner;
  std::string clause;    // id of the permission
  std::string officer;   // <= 128: who answers for the search; at a holder a pseudonym of the day
  std::string case_ref;  // <= 128: the same of the case
  policy::Alarms bounds;
};

// Watches for harvesting (SM-11): the searches of a partner, of each officer and of each case under
// one permission. An alarm stops the searches under the agreement in the unit of work that records
// the hit, and tells the data protection officers of both agencies. Two people lift it; then
// counting begins anew.
//
// Exact across crashes for hits, which are stored with their log entry. Probes that did not hit are
// stored every ten seconds and with the next hit; a crash loses the last of them, so that the rate
// can only seem higher than it was. What was counted in a unit of work that then failed stays
// counted until the watch is read again.
//
// Threads: thread-safe.
class HitAlarms {
 public:
  static constexpr std::size_t kMaxWatches = 4096;  // in memory; the store has the others
  // Of the windows that agreements can name no part above this is counted.
  static constexpr std::chrono::seconds kLongestWindow = std::chrono::hours(31 * 24);

  // References must outlive the object; `journal` writes to `store`.
  struct Setup {
    const store::Store& store;
    audit::Journal& journal;
    Stops& stops;
    identity::Notices& notices;
    const PartnerNotices& partners;
    policy::AgencyId own;
    const runtime::Clock& clock;
  };
  explicit HitAlarms(Setup setup) : setup_(std::move(setup)) {}

  // A probe that hit nothing.
  void OnMiss(const WatchedSearch& search);
  // A probe that hit entries, within the unit of work that records it. Returns whether an alarm
  // stops the searches under the agreement: this one, or one that was raised in the same moment.
  // In:     references  of the entries, not empty
  // Errors: those of the store; nothing may be answered then
  Result<bool> OnHits(store::Transaction& transaction, audit::Recorder& recorder,
                      const WatchedSearch& search, std::span<const std::string> references);
  // A sealed probe over the cap: an alarm at once, within the unit of work that records it. Returns
  // as OnHits. Errors: as OnHits
  Result<bool> OnOverCap(store::Transaction& transaction, audit::Recorder& recorder,
                         const WatchedSearch& search);
  // To be called once that unit of work is durable, before the next answer: an alarm takes effect.
  // Does not wait for answers under way.
  void AfterHits();
  // Within the unit of work that lifts an alarm's stop: counting begins anew.
  Status OnLift(store::Transaction& transaction, const Stop& stop);
  // Stores the probes that are not stored yet, and forgets what is past every window. About every
  // ten seconds. Errors: those of the journal
  Status Save();

 private:
  struct Watch {
    HitWatch counts;
    std::uint64_t unsaved = 0;  // probes
    bool touched = false;       // since the last Save
    policy::Instant used_at{};
  };
  using Watches = std::map<std::string, Watch>;
  struct Raised {
    std::string whose;
    HitAlarm alarm;
  };

  // Null: it is to be read from the store first.
  Watch* Cached(const std::string& key, const policy::Alarms& bounds);
  Result<Watch*> Find(const std::string& key, const policy::Alarms& bounds,
                      const store::Transaction& transaction);
  void MakeRoom();
  Result<bool> Raise(store::Transaction& transaction, audit::Recorder& recorder,
                     const WatchedSearch& search, const Raised& raised);

  const Setup setup_;
  std::mutex mutex_;  // guards the members below
  Watches watches_;
  // Agreements with an alarm whose stop is not known to be in force: it may not be durable yet.
  std::set<std::string> raised_;
};

}  // namespace comity::oversight
