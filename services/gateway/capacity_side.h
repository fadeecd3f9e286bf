// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <stop_token>
#include <string>

#include "crypto/base/result.h"
#include "crypto/base/secret.h"
#include "services/audit/journal.h"
#include "services/identity/notices.h"
#include "services/matching/capacity_meter.h"
#include "services/runtime/logging.h"
#include "services/store/store.h"

namespace comity::gateway {

// The counters of capacity, compared with the audit log: at the start, with each use, and in
// rounds. What differs is told, each counter once on its day.
//
// Threads: thread-safe.
class CapacitySide {
 public:
  struct Ports {  // all references must outlive the object
    policy::AgencyId own;
    const store::Store& store;
    audit::Journal& journal;
    identity::Notices& notices;
    const runtime::Clock& clock;
    runtime::Logger& logger;
  };
  // The log must be verified by then.
  // Errors: those of CapacityMeter::Recall and of the journal
  static Result<std::unique_ptr<CapacitySide>> Open(Ports ports, const SecretBytes& kek,
                                                    const std::stop_token& stop);

  matching::CapacityMeter& meter() { return meter_; }
  // About every ten seconds, by one thread.
  Status Housekeep();

 private:
  explicit CapacitySide(Ports ports);
  Status Tell();

  const Ports ports_;
  matching::CapacityMeter meter_;
  std::string untold_;
};

}  // namespace comity::gateway
