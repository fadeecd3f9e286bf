// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/base/bytes.h"
#include "crypto/base/result.h"
#include "crypto/sign/ed25519.h"
#include "policy/model/ids.h"
#include "policy/model/instant.h"
#include "policy/model/key_history.h"
#include "services/store/peer_store.h"

namespace comity::identity {

using PeerState = store::PeerState;
std::string_view Name(PeerState state);  // "active", "suspended", "removed", "self"

// What a partner's card says of it (services/transport/peer_card.h), checked there.
struct PeerTerms {
  policy::AgencyId agency;
  std::string name;       // for people, 1..128
  std::string spiffe_id;  // spiffe://<trust domain>/gateway
  std::string address;    // host:port of its federation port
  sign::PublicKey signing_key;
  sign::PublicKey log_key;
  std::string anchor_pem;  // the CA certificate that speaks for it
  std::uint32_t protocol_min = 0;
  std::uint32_t protocol_max = 0;
  std::vector<std::string> capabilities;
  Digest fingerprint;  // of the card: what people compared
  bool operator==(const PeerTerms&) const = default;
};

// Why keys end.
inline constexpr std::string_view kReplaced = "replaced";
inline constexpr std::string_view kReissued = "reissued";  // the signing key goes on, with other CA
inline constexpr std::string_view kCompromised = "compromised";
inline constexpr std::string_view kRemoved = "removed";

// One card's keys and the time in which they are accepted: [from, until).
struct PeerKeys {
  sign::PublicKey signing_key;
  sign::PublicKey log_key;
  std::string anchor_pem;
  policy::Instant from{};                // the epoch: from the first
  std::optional<policy::Instant> until;  // absent: they still are
  std::string end;                       // why they end, of those above; or empty
  bool operator==(const PeerKeys&) const = default;

  bool OpenAt(policy::Instant moment) const {
    return from <= moment && (!until || moment < *until);
  }
};

// A card by which a partner announced its next keys, signed by the old and the new ones. Two people
// decide about it.
struct PeerAnnouncement {
  std::string card;    // TOML, <= 16 KiB
  Digest fingerprint;  // of the card
  std::optional<policy::Instant> compromised_since;
  policy::Instant received_at{};
  bool operator==(const PeerAnnouncement&) const = default;
};

// A partner agency, or this one (kSelf), with every key it ever had.
//
// Threads: a value.
struct Peer {
  PeerTerms terms;  // of the latest card; of kSelf those it works with
  PeerState state = PeerState::kActive;
  std::string reason;             // of suspension or removal
  policy::Instant enrolled_at{};  // another one for a removed partner that comes back
  policy::Instant changed_at{};
  std::vector<PeerKeys> keys;  // by time of approval
  std::optional<PeerAnnouncement> announced;
  bool operator==(const Peer&) const = default;

  // The keys accepted at that moment, the newest first.
  std::vector<sign::PublicKey> SigningKeysAt(policy::Instant moment) const;
  // Their CA certificates as one PEM text, none twice.
  std::string AnchorsAt(policy::Instant moment) const;
  policy::KeyHistory History() const;
};

// How a partner's keys are replaced.
struct Rekeying {
  // How long the old keys are accepted beside the new ones.
  std::chrono::seconds overlap{0};
  // Since when the old keys may be in other hands: nothing they signed since counts. No overlap.
  std::optional<policy::Instant> compromised_since;
};
inline constexpr std::chrono::days kLongestOverlap{90};
inline constexpr std::size_t kMaxPeers = 1000;
inline constexpr std::size_t kMaxKeysOfPeer = 64;

}  // namespace comity::identity
