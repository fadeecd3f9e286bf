// SPDX-License-Identifier: Apache-2.0
#include "services/identity/peer.h"

#include <utility>

namespace comity::identity {

std::string_view Name(PeerState state) {
  switch (state) {
    case PeerState::kActive:
      return "active";
    case PeerState::kSuspended:
      return "suspended";
    case PeerState::kRemoved:
      return "removed";
    case PeerState::kSelf:
      return "self";
  }
  return "unknown";
}

std::vector<sign::PublicKey> Peer::SigningKeysAt(policy::Instant moment) const {
  std::vector<sign::PublicKey> open;
  for (auto key = keys.rbegin(); key != keys.rend(); ++key) {
    if (key->OpenAt(moment)) open.push_back(key->signing_key);
  }
  return open;
}

std::string Peer::AnchorsAt(policy::Instant moment) const {
  std::string anchors;
  for (auto key = keys.rbegin(); key != keys.rend(); ++key) {
    if (key->OpenAt(moment) && anchors.find(key->anchor_pem) == std::string::npos) {
      anchors += key->anchor_pem;
    }
  }
  return anchors;
}

policy::KeyHistory Peer::History() const {
  std::vector<policy::KeyPeriod> periods;
  for (const PeerKeys& key : keys) {
    periods.push_back({sign::EncodePublicKey(key.signing_key), key.from, key.until});
  }
  return policy::KeyHistory(std::move(periods));
}

}  // namespace comity::identity
