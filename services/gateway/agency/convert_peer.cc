// SPDX-License-Identifier: Apache-2.0
#include "services/gateway/agency/convert_peer.h"

#include <string>

#include "crypto/base/encoding.h"
#include "services/gateway/wire/convert_time.h"
#include "services/transport/certificate.h"

namespace comity::gateway {
namespace {

// Where a partner stands is asked of active ones only.
void FillContact(const identity::Peer& peer, const PeerMonitor::Contact& contact, v1::Peer& proto) {
  const store::PeerContactRecord& record = contact.record;
  if (peer.state == identity::PeerState::kActive) {
    proto.set_reachability(std::string(identity::Name(contact.presence)));
    proto.set_clock_skew_ms(contact.clock_skew.count());
  }
  if (record.last_seen) *proto.mutable_last_seen() = ToProto(*record.last_seen);
  if (record.away_since) *proto.mutable_away_since() = ToProto(*record.away_since);
  proto.set_state_there(record.state_there);
  for (const std::string& key : record.keys_there) proto.add_keys_there(key);
  proto.set_protocol(record.protocol);
  proto.set_software(record.software);
  for (const std::string& capability : record.capabilities) proto.add_capabilities(capability);
}

}  // namespace

v1::PeerTerms ToProto(const identity::PeerTerms& terms) {
  v1::PeerTerms proto;
  proto.set_agency(terms.agency.text());
  proto.set_name(terms.name);
  proto.set_spiffe_id(terms.spiffe_id);
  proto.set_address(terms.address);
  proto.set_signing_key(sign::EncodePublicKey(terms.signing_key));
  proto.set_log_key(sign::EncodePublicKey(terms.log_key));
  if (const auto chain = transport::ParseCertificateChain(terms.anchor_pem); chain) {
    const Digest digest = transport::Fingerprint(*chain->leaf);
    proto.set_anchor_fingerprint(digest.bytes.data(), digest.bytes.size());
  }
  proto.set_protocol_min(terms.protocol_min);
  proto.set_protocol_max(terms.protocol_max);
  for (const std::string& capability : terms.capabilities) proto.add_capabilities(capability);
  proto.set_fingerprint(terms.fingerprint.bytes.data(), terms.fingerprint.bytes.size());
  return proto;
}

v1::PeerKeyPeriod ToProto(const identity::PeerKeys& keys) {
  v1::PeerKeyPeriod proto;
  proto.set_signing_key(sign::EncodePublicKey(keys.signing_key));
  proto.set_log_key(sign::EncodePublicKey(keys.log_key));
  if (keys.from != policy::Instant{}) *proto.mutable_from() = ToProto(keys.from);
  if (keys.until) *proto.mutable_until() = ToProto(*keys.until);
  proto.set_end(keys.end);
  return proto;
}

v1::Peer ToProto(const identity::Peer& peer, const PeerMonitor::Contact* contact) {
  v1::Peer proto;
  *proto.mutable_terms() = ToProto(peer.terms);
  proto.set_state(std::string(identity::Name(peer.state)));
  proto.set_reason(peer.reason);
  *proto.mutable_enrolled_at() = ToProto(peer.enrolled_at);
  *proto.mutable_changed_at() = ToProto(peer.changed_at);
  for (const identity::PeerKeys& keys : peer.keys) *proto.add_keys() = ToProto(keys);
  proto.set_reachability("unknown");
  if (contact != nullptr) FillContact(peer, *contact, proto);
  if (peer.announced) {
    proto.set_announced_fingerprint(EncodeHex(peer.announced->fingerprint.view()));
    *proto.mutable_announced_at() = ToProto(peer.announced->received_at);
  }
  return proto;
}

}  // namespace comity::gateway
