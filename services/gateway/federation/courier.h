// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "crypto/base/result.h"
#include "crypto/sign/ed25519.h"
#include "policy/model/ids.h"
#include "services/audit/journal.h"
#include "services/gateway/federation/partner_message.h"
#include "services/gateway/federation/peer_links.h"
#include "services/identity/notices.h"
#include "services/oversight/catch_up.h"
#include "services/oversight/outbox.h"
#include "services/runtime/clock.h"
#include "services/runtime/guarded.h"
#include "services/runtime/logging.h"
#include "services/store/outbox_store.h"
#include "services/store/store.h"

namespace comity::gateway {

// Brings the outbox to the partners: one thread for each, so that a slow or absent one holds up no
// other; in the order of storing; at once when something is added, and again after 0.2 to 5 seconds
// when it failed. A message that the partner refuses is set aside and tried again every minute;
// those behind it go on. Of a kind whose budget is used up there, or that is not taken of a
// suspended agency, all wait; other kinds go on.
//
// Threads: thread-safe.
class Courier {
 public:
  // The keys that speak for a partner, 1 or more. Errors: kNotFound  no such partner
  using KeysOf = std::function<Result<std::vector<sign::PublicKey>>(const policy::AgencyId&)>;
  struct Ports {
    policy::AgencyId self;
    const store::Store& store;
    audit::Journal& journal;
    oversight::Outbox& outbox;
    oversight::CatchUp& catch_up;
    const PartnerMessageHandlers& handlers;
    const PeerLinks& peers;
    KeysOf keys;
    identity::Notices& notices;
    const runtime::Clock& clock;
    runtime::Logger& logger;
  };
  // All references must outlive the object.
  explicit Courier(Ports ports);
  ~Courier();

  // Serves exactly these partners from now on. On return it is known who is behind.
  Status Serve(const std::vector<policy::AgencyId>& partners);
  // The partner is heard of again: what failed is tried now, and what waits with its kind within a
  // second.
  void Hurry(const policy::AgencyId& partner);
  // Looks who is behind, whatever the couriers are waiting for: a call that hangs, an answer that
  // is slow, a pause after a failure. To be called every second. Errors: those of the store
  Status NoteBehind();
  // Drops what waits for a partner that was removed, and says so in the log.
  Status Drop(const policy::AgencyId& partner);

 private:
  class Round;
  using Rounds = std::map<policy::AgencyId, std::unique_ptr<Round>>;

  Ports ports_;
  runtime::Guarded<Rounds> rounds_;
};

}  // namespace comity::gateway
