// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "services/gateway/agency/own_card.h"
#include "services/gateway/agency/peers_service.h"
#include "services/gateway/federation/key_change.h"
#include "services/gateway/federation/peer_binding.h"
#include "services/gateway/federation/peer_links.h"
#include "services/gateway/federation/peer_monitor.h"
#include "services/gateway/identity_keys.h"
#include "services/identity/peers.h"
#include "services/runtime/config.h"
#include "services/transport/credentials.h"

namespace comity::gateway {

// Everything about partner agencies, put together: the register of them, trust and channels that
// follow it, the watch over who answers, and the service for own people.
//
// Threads: Open, Connect and Serve once each, in this order, by one thread; then thread-safe.
class PartnerSide {
 public:
  struct Ports {
    const runtime::Config& config;
    policy::AgencyId self;
    const IdentityKeys& keys;
    store::Store& store;
    audit::Journal& journal;
    const runtime::Clock& clock;
    RandomSource& random;
    runtime::Logger& logger;
  };
  // All references must outlive the object.
  // Errors: those of FormerKeys and identity::Peers::Open
  static Result<std::unique_ptr<PartnerSide>> Open(Ports ports);

  // The key that the present one succeeds, of which the store may still hold signatures.
  const std::vector<sign::PublicKey>& former_keys() const { return former_keys_; }
  identity::Peers& peers() { return *peers_; }
  // Whose certificates the federation port accepts from its first handshake on.
  std::vector<transport::PinnedPeer> Pins() const {
    return PinsOf(*peers_, ports_.config.peers.crl_folder, ports_.clock.Now());
  }

  struct Wire {
    transport::TrustStore& trust;  // of the federation port; its peers are set here
    const transport::ServerTls& tls;
    const MessageSigner& signer;
    const MessageVerifier& verifier;
    // What else depends on partners and their keys: told of all that are not removed, now and
    // after each change.
    std::function<Status(const std::vector<policy::AgencyId>& partners)> follow;
  };
  void Connect(Wire wire);
  PeerLinks& links() { return *links_; }

  struct Desk {
    AgencyCallers& callers;
    identity::Approvals& approvals;
    identity::Notices& notices;
    oversight::Outbox& outbox;
    matching::AnswerBarrier& barrier;
    std::function<void(const policy::AgencyId&)> on_return;  // a partner answers again; may be null
  };
  Status Serve(Desk desk);
  PeerMonitor& monitor() { return *monitor_; }
  PeersService& service() { return *service_; }
  PartnerMessageHandler& key_changes() { return *key_changes_; }

  // Overlaps of keys end, and a register that could not be read is read again. About every ten
  // seconds.
  void Housekeep();
  // The gateway stops as planned: partners are told, for about a second.
  void SayGoodbye() {
    if (monitor_) monitor_->SayGoodbye();
  }
  // Nothing is written to store and log by this any more.
  void Halt() {
    if (monitor_) monitor_->Halt();
  }

 private:
  explicit PartnerSide(Ports ports) : ports_(std::move(ports)) {}

  const Ports ports_;
  std::vector<sign::PublicKey> former_keys_;
  std::unique_ptr<identity::Peers> peers_;
  std::optional<PeerLinks> links_;
  std::optional<PeerBinding> binding_;
  std::optional<OwnCard> card_;
  std::unique_ptr<PeerMonitor> monitor_;
  std::optional<KeyChangeHandler> key_changes_;
  std::optional<PeersService> service_;
};

}  // namespace comity::gateway
