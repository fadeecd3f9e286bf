// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <stop_token>
#include <string>
#include <thread>

#include "crypto/base/result.h"
#include "services/audit/journal.h"
#include "services/gateway/federation/peer_links.h"
#include "services/identity/notices.h"
#include "services/identity/peer_contact.h"
#include "services/identity/peers.h"
#include "services/runtime/guarded.h"
#include "services/runtime/logging.h"
#include "services/store/store.h"

namespace comity::gateway {

// Says hello to every active partner again and again, so that an outage and its end are noticed and
// told to people (SM-13), and both sides know where their enrolment stands.
//
// Threads: thread-safe.
class PeerMonitor {
 public:
  struct Ports {
    policy::AgencyId self;
    const identity::Peers& peers;
    const PeerLinks& links;
    store::Store& store;
    audit::Journal& journal;
    identity::Notices& notices;
    const runtime::Clock& clock;
    runtime::Logger& logger;
    // Without an answer for so long a partner is away; it is asked three times in that time.
    std::chrono::seconds away_after;
    // Called when a partner answers again, or for the first time, from any thread; may be null.
    std::function<void(const policy::AgencyId&)> on_return;
  };
  // All references must outlive the object. Errors: those of the store
  static Result<std::unique_ptr<PeerMonitor>> Open(Ports ports);
  ~PeerMonitor();
  PeerMonitor(const PeerMonitor&) = delete;
  PeerMonitor& operator=(const PeerMonitor&) = delete;

  // A verified Hello of the partner came in.
  void Heard(const policy::AgencyId& agency, const identity::PeerWord& word);
  void Leaving(const policy::AgencyId& agency);
  // Partners changed: says hello soon.
  void Poke();
  // As Poke, and to this one even if it is suspended: it learns so.
  void Tell(const policy::AgencyId& agency);
  // Tells all partners that this gateway stops as planned; gives up after a second. No further
  // round of hellos begins.
  void SayGoodbye();

  // Waits until nothing more is asked and noted.
  void Halt();

  struct Contact {
    identity::PeerContact::Presence presence{};
    std::chrono::milliseconds clock_skew{};
    store::PeerContactRecord record;
  };
  // Of partners that are active or suspended; one that was never heard may be missing.
  std::map<policy::AgencyId, Contact> Contacts() const;

 private:
  using Change = identity::PeerContact::Change;
  using ContactMap = std::map<policy::AgencyId, identity::PeerContact>;

  explicit PeerMonitor(Ports ports) : ports_(std::move(ports)) {}
  void Run(const std::stop_token& stop);
  void AskAll(std::set<policy::AgencyId> agencies);
  void Ask(const policy::AgencyId& agency);
  bool HeardAll() const;
  // Lets `change` happen to the partner's contact and tells what follows from it.
  template <typename Happening>
  void Note(const policy::AgencyId& agency, Happening happening);
  Status Keep(Change change, const identity::PeerContact& contact);
  identity::Notice NoticeOf(Change change, const identity::PeerContact& contact) const;

  const Ports ports_;
  std::mutex noting_;
  runtime::Guarded<ContactMap> contacts_;
  struct Wake {
    bool poked = true;
    std::set<policy::AgencyId> tell;
  };
  runtime::Watched<Wake> wake_;
  std::jthread thread_;
};

}  // namespace comity::gateway
