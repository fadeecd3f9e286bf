// SPDX-License-Identifier: Apache-2.0
#include "services/gateway/federation/peer_binding.h"

#include <string>
#include <utility>

namespace comity::gateway {

std::vector<transport::PinnedPeer> PinsOf(const identity::Peers& peers,
                                          const std::optional<std::filesystem::path>& crl_folder,
                                          policy::Instant now) {
  std::vector<transport::PinnedPeer> pins;
  for (const identity::Peer& peer : peers.List()) {
    std::string anchors = peer.AnchorsAt(now);
    if (peer.state == identity::PeerState::kRemoved || anchors.empty()) continue;
    const std::string& agency = peer.terms.agency.text();
    std::optional<std::filesystem::path> crl;
    if (crl_folder) crl = *crl_folder / (agency + ".pem");
    pins.push_back({agency, peer.terms.spiffe_id, {}, std::move(crl), std::move(anchors)});
  }
  return pins;
}

PeerBinding::Bound PeerBinding::Wanted() const {
  Bound wanted;
  const auto now = ports_.clock.Now();
  wanted.pins = PinsOf(ports_.peers, ports_.crl_folder, now);
  for (const identity::Peer& peer : ports_.peers.List()) {
    std::vector<sign::PublicKey> keys = peer.SigningKeysAt(now);
    if (peer.state == identity::PeerState::kRemoved || keys.empty()) continue;
    const sign::PublicKey newest = keys.front();
    keys.erase(keys.begin());
    wanted.targets.push_back({{peer.terms.agency, newest, std::move(keys)},
                              peer.terms.address,
                              peer.state == identity::PeerState::kSuspended});
  }
  wanted.histories = ports_.peers.Keys();
  return wanted;
}

void PeerBinding::Apply() {
  const std::lock_guard one_at_a_time(applying_);
  Bound wanted = Wanted();
  if (bound_ == wanted) return;
  const auto report = [&](const char* what, const Status& status) {
    if (!status) ports_.logger.Error(what, {{"reason", status.error().detail}});
    return status.has_value();
  };
  // First who gets in, then where to go: a channel is judged by the trust store.
  bool all = report("partner-trust-not-set", ports_.trust.SetPeers(wanted.pins));
  all = report("partner-channel-not-opened", ports_.links.Set(wanted.targets)) && all;
  std::vector<policy::AgencyId> partners;
  for (const PeerLinks::Target& target : wanted.targets) partners.push_back(target.peer.agency);
  all = report("partner-change-not-followed", ports_.follow(partners)) && all;
  bound_.reset();
  if (all) bound_ = std::move(wanted);  // else it is tried again
}

}  // namespace comity::gateway
