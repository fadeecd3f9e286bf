// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <set>
#include <thread>
#include <utility>
#include <vector>

#include "crypto/base/result.h"
#include "crypto/sign/ed25519.h"
#include "services/casework/alerts.h"
#include "services/gateway/federation/courier.h"
#include "services/gateway/federation/partner_handlers.h"
#include "services/gateway/federation/partner_inbox.h"
#include "services/gateway/federation/partner_message.h"
#include "services/gateway/wire/callers.h"
#include "services/identity/notices.h"
#include "services/oversight/catch_up.h"
#include "services/oversight/deletions.h"
#include "services/oversight/outbox.h"
#include "services/oversight/partner_notices.h"
#include "services/oversight/unacknowledged.h"
#include "services/runtime/logging.h"

namespace comity::gateway {

// All that this gateway and its partners do by durable messages, put together: the handlers, the
// inbox, the courier, and a thread that starts deletions and tells people what is late.
//
// Threads: thread-safe.
class PartnerDesk {
 public:
  struct Ports {
    policy::AgencyId self;
    const store::Store& store;
    audit::Journal& journal;
    const sign::SigningKey& agency_key;
    oversight::Outbox& outbox;
    oversight::CatchUp& catch_up;
    casework::AlertDesk& alerts;
    identity::Notices& notices;
    RefusalRecord& refusals;
    const PeerLinks& peers;
    Courier::KeysOf keys;
    std::function<std::vector<oversight::EndedAgreement>()> ended;  // all that have ended
    PartnerMessageHandler& key_changes;                             // of kind key-change
    PartnerMessageHandler& sealed_held;                             // of that kind, as the next
    PartnerMessageHandler& sealed_erased;
    const runtime::Clock& clock;
    runtime::Logger& logger;
  };
  // All references must outlive the object.
  explicit PartnerDesk(Ports ports);
  ~PartnerDesk();

  // Begins to work with these partners; to be called again when they change.
  Status Serve(const std::vector<policy::AgencyId>& partners);

  // The partner is heard of again: what failed is tried now.
  void Hurry(const policy::AgencyId& partner) { courier_.Hurry(partner); }

  PartnerInbox& inbox() { return inbox_; }
  Courier& courier() { return courier_; }
  const oversight::Deletions& deletions() const { return deletions_; }
  const oversight::PartnerNotices& partner_notices() const { return partner_notices_; }

 private:
  void KeepHouse(const std::stop_token& stop);
  void Work(std::uint64_t tick);
  void Complain(std::string_view what, const Error& error);

  Ports ports_;
  oversight::Deletions deletions_;
  const oversight::PartnerNotices partner_notices_;
  const oversight::Unacknowledged unacknowledged_;
  EntryChangeHandler entry_changes_;
  DeletionOrderHandler deletion_orders_;
  PeerNoticeHandler peer_notices_;
  PartnerMessageHandlers handlers_;
  PartnerInbox inbox_;
  Courier courier_;
  std::jthread housekeeping_;
};

}  // namespace comity::gateway
