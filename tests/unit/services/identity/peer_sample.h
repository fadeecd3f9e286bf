// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "crypto/base/random.h"
#include "crypto/hash/sha256.h"
#include "services/identity/peer.h"
#include "services/identity/peer_rules.h"

namespace comity::identity {

inline policy::AgencyId AgencyOf(const std::string& text) {
  return policy::AgencyId::Parse(text).value();
}

inline sign::PublicKey SampleKey() {
  SystemRandom random;
  return sign::SigningKey::Generate(random).public_key();
}

// What a card of `agency` with these keys says.
inline PeerTerms TermsWith(const std::string& agency, const sign::PublicKey& signing,
                           const sign::PublicKey& log) {
  PeerTerms terms;
  terms.agency = AgencyOf(agency);
  terms.name = "Agency " + agency;
  terms.spiffe_id = "spiffe://" + agency + ".example/gateway";
  terms.address = agency + ".example:7443";
  terms.signing_key = signing;
  terms.log_key = log;
  terms.anchor_pem = "CA certificate of " + agency + "\n";
  terms.protocol_min = 1;
  terms.protocol_max = 1;
  terms.capabilities = {"direct"};
  terms.fingerprint = hash::Sha256({AsBytes(agency), signing.view(), log.view()});
  return terms;
}
inline PeerTerms SampleTerms(const std::string& agency) {
  return TermsWith(agency, SampleKey(), SampleKey());
}

inline constexpr const char* kOwnAgency = "northshire-police";

// A register that knows this agency only.
inline PeerBook OwnBook(const PeerTerms& self) {
  Peer peer;
  peer.terms = self;
  peer.state = PeerState::kSelf;
  peer.keys = {{self.signing_key, self.log_key, self.anchor_pem, {}, {}, {}}};
  return {{self.agency, peer}};
}

inline policy::Instant AtSecond(std::int64_t seconds) {
  return policy::Instant(std::chrono::seconds(seconds));
}

}  // namespace comity::identity
