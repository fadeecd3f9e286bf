// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <functional>
#include <mutex>
#include <optional>
#include <vector>

#include "policy/model/key_history.h"
#include "services/gateway/federation/peer_links.h"
#include "services/identity/peers.h"
#include "services/runtime/logging.h"
#include "services/transport/trust_store.h"

namespace comity::gateway {

// Whose certificates are accepted at this moment: those of active and of suspended partners.
// In: crl_folder  holds AGENCY.pem, the revocation list of that partner's CA; absent: none is
//                 checked
std::vector<transport::PinnedPeer> PinsOf(const identity::Peers& peers,
                                          const std::optional<std::filesystem::path>& crl_folder,
                                          policy::Instant now);

// Lets what the register of partners says take effect: whose certificates are accepted, where
// channels lead, whose statements count. Nothing needs a restart.
//
// Threads: thread-safe.
class PeerBinding {
 public:
  struct Ports {
    const identity::Peers& peers;
    transport::TrustStore& trust;
    PeerLinks& links;
    std::optional<std::filesystem::path> crl_folder;  // as for PinsOf
    // What else depends on partners and their keys: told of all that are not removed.
    std::function<Status(const std::vector<policy::AgencyId>& partners)> follow;
    const runtime::Clock& clock;
    runtime::Logger& logger;
  };
  // All references must outlive the object.
  explicit PeerBinding(Ports ports) : ports_(std::move(ports)) {}

  // Does nothing when nothing changed since. Called after every change of partners, and about every
  // ten seconds for overlaps of keys that end.
  void Apply();

 private:
  struct Bound {
    std::vector<transport::PinnedPeer> pins;
    std::vector<PeerLinks::Target> targets;
    policy::KeyHistories histories;
    bool operator==(const Bound&) const = default;
  };
  Bound Wanted() const;

  const Ports ports_;
  std::mutex applying_;  // one at a time, so that an older view never replaces a newer one
  std::optional<Bound> bound_;
};

}  // namespace comity::gateway
