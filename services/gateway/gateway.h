// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
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

// What a start waits for, and what is looked at before it goes on.
struct StartRules {
  std::stop_token stop{};  // requested: waits no more
  // Called when no other gateway of the agency has the data directory any more, and before anything
  // in it is read, keys included; once more when the directory was let go in between, because the
  // database was away. An error ends the start.
  std::function<Status()> check{};
  // How long a PostgreSQL database that is away is waited for, unless another gateway worked until
  // now; none: as long as it takes.
  std::optional<std::chrono::seconds> database_wait{};
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
  // Errors: what is wrong with the set-up, in words, naming the file or the port
  static Result<std::unique_ptr<Gateway>> Start(const runtime::Config& config,
                                                runtime::Clock& clock, runtime::Logger& logger,
                                                const StartRules& rules = {});
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
