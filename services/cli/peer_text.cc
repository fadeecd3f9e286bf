// SPDX-License-Identifier: Apache-2.0
#include "services/cli/peer_text.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "crypto/base/encoding.h"
#include "crypto/sign/ed25519.h"
#include "services/cli/output.h"
#include "services/cli/wire_text.h"
#include "services/transport/fingerprint.h"

namespace comity::cli {
namespace {

using Json = nlohmann::ordered_json;

std::string Grouped(const std::string& octets) {
  Digest digest;
  if (octets.size() != Digest::kSize) return {};
  std::ranges::copy(octets, digest.bytes.begin());
  return transport::EncodeFingerprint(digest);
}

template <typename Texts>
std::string Joined(const Texts& texts, const char* between) {
  std::string joined;
  for (const std::string& text : texts) joined += (joined.empty() ? "" : between) + text;
  return joined;
}

std::string IdOf(const std::string& key) {
  const auto parsed = sign::ParsePublicKey(key);
  return parsed ? sign::KeyId(*parsed) : std::string();
}

Json KeysJson(const google::protobuf::RepeatedPtrField<v1::PeerKeyPeriod>& keys) {
  Json list = Json::array();
  for (const v1::PeerKeyPeriod& key : keys) {
    list.push_back({{"signing_key", key.signing_key()},
                    {"log_key", key.log_key()},
                    {"key_id", IdOf(key.signing_key())},
                    {"from", TimeText(key.from())},
                    {"until", TimeText(key.until())},
                    {"end", key.end()}});
  }
  return list;
}

std::string Or(const std::string& text, const char* otherwise) {
  return text.empty() ? otherwise : text;
}

std::string KeysText(const google::protobuf::RepeatedPtrField<v1::PeerKeyPeriod>& keys) {
  std::string text;
  for (const v1::PeerKeyPeriod& key : keys) {
    text += "  key " + IdOf(key.signing_key()) + "  from " + Or(TimeText(key.from()), "the first");
    if (key.has_until()) text += " until " + TimeText(key.until()) + ", " + key.end();
    text += "\n";
  }
  return text;
}

// Where the enrolment stands on the other side.
std::string There(const v1::Peer& peer) {
  if (!peer.state_there().empty()) return peer.state_there();
  return peer.state() == "active" ? "not known" : "";
}

std::string DetailText(const v1::Peer& peer, const v1::ListPeersResponse& response) {
  std::string text = Clean(peer.terms().agency()) + " (" + Clean(peer.terms().name()) + ")\n" +
                     KeysText(peer.keys());
  if (!peer.reason().empty()) {
    text += "  " + peer.state() + " because: " + Clean(peer.reason()) + "\n";
  }
  if (!peer.announced_fingerprint().empty()) {
    text += "  announced new keys at " + TimeText(peer.announced_at()) +
            ": comity peer rekey --announced " + peer.terms().agency() + "\n";
  }
  // Whether the partner has approved this agency's latest key.
  if (response.own_keys_size() > 1 && peer.keys_there_size() > 0) {
    const std::string latest = IdOf(response.own_keys(response.own_keys_size() - 1).signing_key());
    const bool accepted = std::ranges::count(peer.keys_there(), latest) > 0;
    text += "  " + std::string(accepted ? "accepts" : "does NOT accept") +
            " this agency's latest key " + latest + "\n";
  }
  return text;
}

}  // namespace

Json TermsJson(const v1::PeerTerms& terms) {
  return {{"agency", terms.agency()},
          {"name", terms.name()},
          {"spiffe_id", terms.spiffe_id()},
          {"address", terms.address()},
          {"signing_key", terms.signing_key()},
          {"log_key", terms.log_key()},
          {"anchor_sha256", HexText(terms.anchor_fingerprint())},
          {"protocol_min", terms.protocol_min()},
          {"protocol_max", terms.protocol_max()},
          {"capabilities", terms.capabilities()},
          {"fingerprint", Grouped(terms.fingerprint())}};
}

std::string TermsText(const v1::PeerTerms& terms) {
  return "agency            " + Clean(terms.agency()) + " (" + Clean(terms.name()) +
         ")\naddress           " + Clean(terms.address()) + "\nsigning key       " +
         terms.signing_key() + "\nlog key           " + terms.log_key() + "\nCA, SHA-256       " +
         Grouped(terms.anchor_fingerprint()) + "\ncard fingerprint  " +
         Grouped(terms.fingerprint()) + "\n";
}

Json PeersJson(const v1::ListPeersResponse& response) {
  Json peers = Json::array();
  for (const v1::Peer& peer : response.peers()) {
    Json json = TermsJson(peer.terms());
    json["state"] = peer.state();
    json["reason"] = peer.reason();
    json["enrolled_at"] = TimeText(peer.enrolled_at());
    json["changed_at"] = TimeText(peer.changed_at());
    json["keys"] = KeysJson(peer.keys());
    json["reachability"] = peer.reachability();
    json["last_seen"] = TimeText(peer.last_seen());
    json["away_since"] = TimeText(peer.away_since());
    json["enrolled_there"] = peer.state_there();
    json["keys_there"] = peer.keys_there();
    json["protocol"] = peer.protocol();
    json["software"] = peer.software();
    json["capabilities_there"] = peer.capabilities();
    json["clock_skew_ms"] = peer.clock_skew_ms();
    json["outbox"] = peer.outbox();
    json["announced_fingerprint"] = peer.announced_fingerprint();
    peers.push_back(json);
  }
  return {{"peers", peers}, {"own_keys", KeysJson(response.own_keys())}};
}

std::string PeersText(const v1::ListPeersResponse& response) {
  Table table({"PARTNER", "ENROLLED HERE", "ENROLLED THERE", "REACHABLE", "SINCE", "ADDRESS",
               "PROTOCOL", "CAN", "CLOCK", "OUTBOX"});
  std::string details;
  for (const v1::Peer& peer : response.peers()) {
    const bool present = peer.reachability() == "present";
    table.Add({peer.terms().agency(), peer.state(), There(peer), peer.reachability(),
               TimeText(present ? peer.last_seen() : peer.away_since()), peer.terms().address(),
               peer.protocol() == 0 ? "" : std::to_string(peer.protocol()),
               Joined(peer.capabilities(), ","),
               present ? std::to_string(peer.clock_skew_ms()) + " ms" : "",
               std::to_string(peer.outbox())});
    details += DetailText(peer, response);
  }
  if (table.empty()) return "no partners\n";
  return table.Text() + "\n" + details + "this agency\n" + KeysText(response.own_keys());
}

}  // namespace comity::cli
