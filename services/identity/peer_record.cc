// SPDX-License-Identifier: Apache-2.0
#include "services/identity/peer_record.h"

#include <algorithm>
#include <exception>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <utility>

#include "crypto/base/canonical_json.h"
#include "crypto/base/encoding.h"
#include "crypto/sign/dsse.h"

namespace comity::identity {
namespace {

using nlohmann::json;
using policy::Instant;

json EncodeTerms(const PeerTerms& terms) {
  return {{"name", terms.name},
          {"spiffe_id", terms.spiffe_id},
          {"address", terms.address},
          {"signing_key", sign::EncodePublicKey(terms.signing_key)},
          {"log_key", sign::EncodePublicKey(terms.log_key)},
          {"anchor_pem", terms.anchor_pem},
          {"protocol_min", terms.protocol_min},
          {"protocol_max", terms.protocol_max},
          {"capabilities", terms.capabilities},
          {"fingerprint", EncodeHex(terms.fingerprint.view())}};
}

json EncodeKeys(const PeerKeys& keys) {
  json object = {{"signing_key", sign::EncodePublicKey(keys.signing_key)},
                 {"log_key", sign::EncodePublicKey(keys.log_key)},
                 {"anchor_pem", keys.anchor_pem},
                 {"from", policy::EncodeInstant(keys.from)},
                 {"end", keys.end}};
  if (keys.until) object["until"] = policy::EncodeInstant(*keys.until);
  return object;
}

json EncodeAnnouncement(const PeerAnnouncement& announcement) {
  json object = {{"card", announcement.card},
                 {"fingerprint", EncodeHex(announcement.fingerprint.view())},
                 {"received_at", policy::EncodeInstant(announcement.received_at)}};
  if (announcement.compromised_since) {
    object["compromised_since"] = policy::EncodeInstant(*announcement.compromised_since);
  }
  return object;
}

std::string EncodePayload(const Peer& peer, const policy::AgencyId& own) {
  json object = {{"own", own.text()},
                 {"agency", peer.terms.agency.text()},
                 {"state", Name(peer.state)},
                 {"reason", peer.reason},
                 {"enrolled_at", policy::EncodeInstant(peer.enrolled_at)},
                 {"changed_at", policy::EncodeInstant(peer.changed_at)},
                 {"terms", EncodeTerms(peer.terms)},
                 {"keys", json::array()}};
  for (const PeerKeys& keys : peer.keys) object["keys"].push_back(EncodeKeys(keys));
  if (peer.announced) object["announced"] = EncodeAnnouncement(*peer.announced);
  return EncodeCanonicalJson(object);
}

// Below, what was vouched for is read: whatever is malformed throws json's exceptions or bad
// values' and ends as kCorrupt in the one place that catches.
template <typename T>
T Good(Result<T> value) {
  if (!value) throw std::invalid_argument(value.error().detail);
  return *std::move(value);
}

std::string Text(const json& object, const char* name) {
  return object.at(name).get<std::string>();
}
Instant TimeOf(const json& object, const char* name) {
  return Good(policy::ParseInstant(Text(object, name)));
}
std::optional<Instant> TimeIfThere(const json& object, const char* name) {
  if (!object.contains(name)) return std::nullopt;
  return TimeOf(object, name);
}
sign::PublicKey KeyOf(const json& object, const char* name) {
  return Good(sign::ParsePublicKey(Text(object, name)));
}
Digest DigestOf(const json& object, const char* name) {
  return Good(ParseHexDigest(Text(object, name)));
}

PeerTerms DecodeTerms(const json& object) {
  PeerTerms terms;
  terms.name = Text(object, "name");
  terms.spiffe_id = Text(object, "spiffe_id");
  terms.address = Text(object, "address");
  terms.signing_key = KeyOf(object, "signing_key");
  terms.log_key = KeyOf(object, "log_key");
  terms.anchor_pem = Text(object, "anchor_pem");
  terms.protocol_min = object.at("protocol_min").get<std::uint32_t>();
  terms.protocol_max = object.at("protocol_max").get<std::uint32_t>();
  terms.capabilities = object.at("capabilities").get<std::vector<std::string>>();
  terms.fingerprint = DigestOf(object, "fingerprint");
  return terms;
}

Peer DecodePeer(const json& object) {
  Peer peer;
  peer.terms = DecodeTerms(object.at("terms"));
  peer.terms.agency = Good(policy::AgencyId::Parse(Text(object, "agency")));
  for (const PeerState state :
       {PeerState::kActive, PeerState::kSuspended, PeerState::kRemoved, PeerState::kSelf}) {
    if (Name(state) == Text(object, "state")) peer.state = state;
  }
  peer.reason = Text(object, "reason");
  peer.enrolled_at = TimeOf(object, "enrolled_at");
  peer.changed_at = TimeOf(object, "changed_at");
  for (const json& keys : object.at("keys")) {
    peer.keys.push_back({KeyOf(keys, "signing_key"), KeyOf(keys, "log_key"),
                         Text(keys, "anchor_pem"), TimeOf(keys, "from"), TimeIfThere(keys, "until"),
                         Text(keys, "end")});
  }
  if (object.contains("announced")) {
    const json& announced = object.at("announced");
    peer.announced = PeerAnnouncement{Text(announced, "card"), DigestOf(announced, "fingerprint"),
                                      TimeIfThere(announced, "compromised_since"),
                                      TimeOf(announced, "received_at")};
  }
  return peer;
}

}  // namespace

Result<store::PeerRecord> VouchPeer(const Peer& peer, const policy::AgencyId& own,
                                    const sign::SigningKey& agency_key) {
  sign::DsseEnvelope envelope;
  envelope.payload_type = kPeerPayloadType;
  envelope.payload = ToBytes(EncodePayload(peer, own));
  sign::AddSignature(agency_key, envelope);
  store::PeerRecord record{peer.terms.agency, peer.state, sign::EncodeDsseJson(envelope),
                           peer.changed_at};
  if (record.vouched.size() <= kMaxPeerRecord) return record;
  return Fail(ErrorCode::kExhausted,
              "what is kept of " + peer.terms.agency.text() + " would exceed 512 KiB");
}

Result<ReadPeer> ReadVouchedPeer(const store::PeerRecord& record, const policy::AgencyId& own,
                                 std::span<const sign::PublicKey> keys) {
  const auto corrupt = [&](std::string_view what) {
    return Fail(ErrorCode::kCorrupt, "the record of partner " + record.agency.text() + " " +
                                         std::string(what) +
                                         ": the database was changed, or is another agency's");
  };
  const auto envelope = sign::ParseDsseJson(record.vouched, kMaxPeerRecord);
  if (!envelope || envelope->payload_type != kPeerPayloadType) return corrupt("is no envelope");
  const auto voucher = std::ranges::find_if(keys, [&](const sign::PublicKey& key) {
    return sign::VerifySignedBy(*envelope, key).has_value();
  });
  if (voucher == keys.end()) return corrupt("is not vouched for by the agency key");
  try {
    const auto object = ParseCanonicalJson(AsText(envelope->payload), kMaxPeerRecord);
    if (!object) return corrupt("is not canonical");
    ReadPeer read{DecodePeer(*object), voucher != keys.begin()};
    const bool same = read.peer.terms.agency == record.agency && read.peer.state == record.state &&
                      read.peer.changed_at == record.changed_at &&
                      EncodePayload(read.peer, own) == AsText(envelope->payload);
    if (same) return read;
    return corrupt("is not the one the agency vouched for");
  } catch (const std::exception& fault) {
    return corrupt(fault.what());
  }
}

std::string AnnouncedCardOf(const store::PeerRecord& record) {
  const auto envelope = sign::ParseDsseJson(record.vouched, kMaxPeerRecord);
  if (!envelope) return {};
  const auto object = ParseCanonicalJson(AsText(envelope->payload), kMaxPeerRecord);
  if (!object || !object->is_object() || !object->contains("announced")) return {};
  const json& announced = object->at("announced");
  const bool has_card =
      announced.is_object() && announced.contains("card") && announced.at("card").is_string();
  return has_card ? announced.at("card").get<std::string>() : std::string();
}

}  // namespace comity::identity
