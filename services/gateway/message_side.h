// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "crypto/sign/ed25519.h"
#include "policy/model/decision.h"
#include "services/agreements/register.h"
#include "services/gateway/agency/holdings_service.h"
#include "services/gateway/federation/entry_changes.h"
#include "services/gateway/federation/partner_desk.h"
#include "services/identity/peers.h"
#include "services/matching/hit_observer.h"
#include "services/oversight/catch_up.h"
#include "services/oversight/holdings.h"
#include "services/oversight/outbox.h"

namespace comity::gateway {

// Everything about durable messages between partners, put together: the outbox and what fills it,
// who was told of which entry, the couriers and the inbox, and the service for own people.
//
// Threads: made and served by the owner's thread; the parts are thread-safe.
class MessageSide {
 public:
  struct Ports {
    policy::AgencyId self;
    const store::Store& store;
    audit::Journal& journal;
    const sign::SigningKey& agency_key;
    const runtime::Clock& clock;
    RandomSource& random;
    runtime::Logger& logger;
  };
  // All references must outlive the object.
  explicit MessageSide(Ports ports);

  oversight::Outbox& outbox() { return outbox_; }
  EntryChanges& entry_changes() { return entry_changes_; }
  matching::RememberReleased remember_released();
  // Why the requester may not search now: it has not acknowledged what was withdrawn.
  std::optional<policy::ReasonCode> HaltedAtHolder(const policy::SearchRequest& request) const;

  struct Desk {
    AgencyCallers& callers;
    RefusalRecord& refusals;
    casework::AlertDesk& alerts;
    identity::Notices& notices;
    const identity::Peers& partners;
    const PeerLinks& links;
    const agreements::Register& agreements;
    PartnerMessageHandler& key_changes;
    PartnerMessageHandler& sealed_held;
    PartnerMessageHandler& sealed_erased;
  };
  Status Serve(const Desk& desk);
  // Works with exactly these partners; before Serve() they are only remembered.
  Status Follow(const std::vector<policy::AgencyId>& partners);
  // The partner is heard of again.
  void Hurry(const policy::AgencyId& partner);
  // Nothing is written to store and log by this any more.
  void Halt() { desk_.reset(); }

  PartnerInbox& inbox() { return desk_->inbox(); }
  PartnerDesk& desk() { return *desk_; }
  HoldingsService& service() { return *service_; }

 private:
  Status DropForRemoved(const std::vector<policy::AgencyId>& partners);

  const Ports ports_;
  oversight::Outbox outbox_;
  oversight::CatchUp catch_up_;
  oversight::Holdings holdings_;
  EntryChanges entry_changes_;
  const identity::Peers* register_ = nullptr;
  std::vector<policy::AgencyId> partners_;
  std::unique_ptr<PartnerDesk> desk_;
  std::optional<HoldingsService> service_;
};

}  // namespace comity::gateway
