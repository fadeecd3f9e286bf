// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "comity/v1/peers.pb.h"
#include "services/gateway/federation/peer_monitor.h"
#include "services/identity/peer.h"

namespace comity::gateway {

v1::PeerTerms ToProto(const identity::PeerTerms& terms);
v1::PeerKeyPeriod ToProto(const identity::PeerKeys& keys);
// In: contact  null: nothing is known
v1::Peer ToProto(const identity::Peer& peer, const PeerMonitor::Contact* contact);

}  // namespace comity::gateway
