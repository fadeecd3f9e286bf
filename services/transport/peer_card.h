// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/base/bytes.h"
#include "crypto/base/result.h"
#include "crypto/sign/ed25519.h"

namespace comity::transport {

inline constexpr std::size_t kMaxPeerCard = std::size_t{16} << 10;  // octets of a card as TOML
inline constexpr std::string_view kPeerCardPayloadType = "application/vnd.comity.peer-card.v1+json";

// What a partner needs to enrol an agency, as a small TOML document signed by the agency's own key
// (docs/formats/peer_card.md). The signature proves that one hand made it, not whose: both sides
// compare the fingerprint over another way (in person, by telephone).
struct PeerCard {
  std::string agency;
  std::string name;         // for people, 1..128 octets
  std::string spiffe_id;    // spiffe://<trust domain>/gateway
  std::string address;      // host:port of the federation port
  std::string signing_key;  // ed25519:<base64>: messages and statements of the agency
  std::string log_key;      // ed25519:<base64>: checkpoints of its audit log
  std::uint32_t protocol_min = 0;
  std::uint32_t protocol_max = 0;
  std::vector<std::string> capabilities;  // at most 16 names: direct
  std::string anchor_fingerprint;         // SHA-256 of the CA certificate, lower-case hex
  std::string anchor_pem;                 // exactly one self-signed CA certificate
  std::string former_key;        // the signing key that `signing_key` replaces; empty: none is
  std::string signature;         // base64: by `signing_key` over all of the above
  std::string former_signature;  // base64: by `former_key` over the same; empty without it
  bool operator==(const PeerCard&) const = default;
};

// What people compare: SHA-256 of what is signed. The card's spelling does not enter.
Digest CardFingerprint(const PeerCard& card);

// Fills `signing_key` and `signature`; with `former`, its key and signature too.
// Errors: kInvalidArgument  the card is faulty; names the key
Result<PeerCard> SignPeerCard(PeerCard card, const sign::SigningKey& key,
                              const sign::SigningKey* former = nullptr);

std::string EncodePeerCard(const PeerCard& card);
// In:     text  untrusted, at most kMaxPeerCard
// Errors: kInvalidArgument  naming the key (and the line, if it is no TOML): missing, unknown or
//                           malformed; the fingerprint is not that of the anchor
//         kCorrupt          a signature is not by its key
Result<PeerCard> ParsePeerCard(std::string_view text);

}  // namespace comity::transport
