// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <stop_token>
#include <string>
#include <string_view>

#include "crypto/base/result.h"
#include "services/runtime/clock.h"
#include "services/runtime/config.h"
#include "services/runtime/logging.h"

namespace comity::gateway {

// The ports a running gateway listens on: as configured, or what the system chose for port 0.
struct Ports {
  int federation = 0;
  int agency = 0;
  int web = 0;
};

// One agency's gateway, assembled by hand from top to bottom: store, log, keys, registers,
// sessions, servers. Shutdown goes the other way (docs/life_of_a_search.md, "Shutdown").
//
// Threads: Start, Stop and the destructor by one thread.
class Gateway {
 public:
  // Opens everything and listens. Over a PostgreSQL database it first waits until no other gateway
  // of the agency works (docs/adr/0029-let-one-gateway-of-an-agency-work-and-others-wait.md).
  // References must outlive the object.
  // In:     stop  requested: waits no more
  // Errors: what is wrong with the set-up, in words, naming the file or the port
  static Result<std::unique_ptr<Gateway>> Start(const runtime::Config& config,
                                                runtime::Clock& clock, runtime::Logger& logger,
                                                const std::stop_token& stop = {});
  ~Gateway();
  Gateway(const Gateway&) = delete;
  Gateway& operator=(const Gateway&) = delete;

  const Ports& ports() const;
  // Waits until the gateway must be started anew (two people confirmed a restored node, or the
  // database is lost) and returns why; or until `stop`: empty.
  std::string AwaitRestart(const std::stop_token& stop);
  // Ends streams, finishes what is being answered (at most 3 s), records the stop. Idempotent.
  void Stop(std::string_view reason);

 private:
  class Parts;
  explicit Gateway(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace comity::gateway
