// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "services/identity/approvals.h"
#include "services/oversight/hit_alarms.h"
#include "services/oversight/stops.h"

namespace comity::oversight {

// Canonical JSON of the act stop-lift: {"reason":..,"stop":..} (docs/formats/stop.md).
// In: reason  1..1000 octets of UTF-8
std::string EncodeStopLift(std::string_view stop, std::string_view reason);

// Lifts a stop when the second person has approved.
//
// Threads: thread-safe.
class StopLift final : public identity::ActHandler {
 public:
  // References must outlive the object.
  StopLift(Stops& stops, HitAlarms& alarms) : stops_(stops), alarms_(alarms) {}
  Result<std::string> Describe(std::string_view content) const override;
  Result<AfterCommit> Carry(store::Transaction& transaction, audit::Recorder& recorder,
                            const identity::PendingAct& act, const policy::PersonId& by) override;

 private:
  Stops& stops_;
  HitAlarms& alarms_;
};

}  // namespace comity::oversight
