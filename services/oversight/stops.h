// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/base/random.h"
#include "crypto/base/result.h"
#include "policy/model/ids.h"
#include "services/audit/journal.h"
#include "services/identity/notices.h"
#include "services/oversight/partner_notices.h"
#include "services/oversight/standing_stops.h"
#include "services/runtime/clock.h"
#include "services/runtime/guarded.h"
#include "services/store/stop_store.h"
#include "services/store/store.h"

namespace comity::oversight {

// What is to be stopped, and why.
struct StopOrder {
  static constexpr std::size_t kMaxReason = 1000;
  static constexpr std::size_t kMaxOrder = 128;
  StopScope scope{};
  std::string reference;  // 1..64, an Id form
  std::string reason;     // 1..1000
  std::string order;      // reference of a regulator's order that is carried out, 0..128
};

// The stop control (HV-12): halts matching of a deployment, a list, a partner or an agreement at
// once, until two people lift it. A stop survives restarts.
//
// Threads: thread-safe.
class Stops {
 public:
  static constexpr std::size_t kMaxStanding = 1000;
  static constexpr std::string_view kAlarm = "alarm";  // who set it, when no person did

  // References must outlive the object; `journal` writes to `store`.
  struct Setup {
    const store::Store& store;
    audit::Journal& journal;
    identity::Notices& notices;
    const PartnerNotices& partners;
    policy::AgencyId own;
    const runtime::Clock& clock;
    RandomSource& random;
    // Called with what stands now whenever that has changed. Must not block.
    std::function<void(const StandingStops&)> on_change;
    // Waits until every answer that rests on the state of before has been given.
    std::function<void()> drain;
  };
  // Reads what stands, and calls `on_change` with it. What is damaged stops everything.
  static Result<std::unique_ptr<Stops>> Open(Setup setup);

  // Durable and in effect on return: no answer is given that the stop covers. Must not be called by
  // a thread that holds a ticket of the answer barrier.
  // In:     by  person id
  // Errors: kInvalidArgument  a bound; kConflict  the same person's stop on it stands already;
  //         kExhausted  too many stand; those of the journal
  Result<Stop> Set(const StopOrder& order, const policy::PersonId& by);

  // Within a unit of work, by an alarm: nothing when an alarm's stop on it stands already. Takes
  // effect with Refresh(), which is to be called once the commit is durable.
  Result<std::optional<Stop>> SetByAlarm(store::Transaction& transaction, audit::Recorder& recorder,
                                         const StopOrder& order) const;
  // Within a unit of work. In: by  who approved
  // Errors: kNotFound; kConflict  lifted already
  Result<Stop> Lift(store::Transaction& transaction, audit::Recorder& recorder,
                    const std::string& id, const policy::PersonId& by,
                    const std::string& reason) const;
  // Takes over what the store holds. What cannot be read stops everything, until it can.
  Status Refresh();
  // Reads again what could not be read. About every ten seconds.
  Status Housekeep();

  // What stands now. Cheap: for every probe.
  std::shared_ptr<const StandingStops> Standing() const;
  std::optional<std::string> Find(StopScope scope, std::string_view reference) const {
    return Standing()->Find(scope, reference);
  }
  // Errors: kNotFound
  Result<Stop> Get(std::string_view id) const;
  // Newest first, at most `limit`; `all`: those that were lifted too.
  Result<std::vector<Stop>> List(bool all, std::uint32_t limit) const;

 private:
  explicit Stops(Setup setup) : setup_(std::move(setup)) {}
  Status Add(store::Transaction& transaction, audit::Recorder& recorder, const Stop& stop) const;
  Status Tell(store::Transaction& transaction, audit::Recorder& recorder, const Stop& stop,
              bool lifted) const;

  const Setup setup_;
  std::mutex refresh_mutex_;  // one Refresh() at a time: the last one that ends has read last
  runtime::Guarded<std::shared_ptr<const StandingStops>> standing_{
      std::make_shared<const StandingStops>()};
};

}  // namespace comity::oversight
