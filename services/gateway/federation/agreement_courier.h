// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <map>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "services/agreements/register.h"
#include "services/audit/journal.h"
#include "services/gateway/federation/peer_links.h"
#include "services/runtime/guarded.h"
#include "services/runtime/logging.h"

namespace comity::gateway {

// What a peer is known to hold of one agreement version.
struct DeliveryState {
  bool delivered = false;   // document and every statement of ours
  std::string peer_status;  // as the peer last said that it computes it; empty: never reached
  bool status_differs = false;
  bool heard = false;  // the peer has answered for it since this gateway started
};

// Brings documents and own people's statements to the peers they concern: at once when asked, and
// every five seconds what a peer does not have yet, or of what it says another status. What was
// delivered is remembered in memory only: after a restart everything is offered again, which a peer
// answers with "known already".
//
// Threads: thread-safe.
class AgreementCourier {
 public:
  struct Ports {
    policy::AgencyId self;
    agreements::Register& agreements;
    const PeerLinks& peers;
    audit::Journal& journal;
    const runtime::Clock& clock;
    runtime::Logger& logger;
  };
  // All references must outlive the object.
  explicit AgreementCourier(Ports ports);

  // Tries now, for every party of `agreement` but this agency. Blocks for at most the call
  // deadline.
  void DeliverNow(const policy::AgreementRef& agreement);
  // The peer has told us something: offers ours again soon, to learn how the peer sees the status.
  void Refresh(const policy::AgencyId& peer, const policy::AgreementRef& agreement);
  // By party agency.
  std::map<policy::AgencyId, DeliveryState> StateOf(const policy::AgreementRef& agreement) const;

 private:
  struct Known {
    std::set<Digest> delivered;  // ids of what the peer has: document hash and statement digests
    std::string peer_status;
    int faults = -1;         // of the last answer; -1: none yet
    bool ask_again = false;  // the peer's status may have changed since
  };
  using Key = std::pair<policy::AgencyId, policy::AgreementRef>;
  static constexpr std::chrono::seconds kRetry{5};

  struct Round;

  void Run(const std::stop_token& stop);
  void Begin(const policy::AgencyId& peer, Round& round);
  void Offer(const policy::AgencyId& peer, const agreements::AgreementFile& file);
  void Learn(const Key& key, const std::set<Digest>& offered, const PeerLinks::Delivered& answer);

  Ports ports_;
  mutable runtime::Guarded<std::map<Key, Known>> known_;
  std::jthread retry_;
};

}  // namespace comity::gateway
