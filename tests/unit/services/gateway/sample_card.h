// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "crypto/base/encoding.h"
#include "services/transport/certificate.h"
#include "services/transport/peer_card.h"
#include "tests/support/test_agency.h"

namespace comity::gateway {

// An agency with a CA of its own and keys that a test may exchange.
class SampleAgency {
 public:
  SampleAgency(const std::string& agency, runtime::Instant now) : files_(agency, now) {}

  // Its card, signed by `key` and, if given, by `former`.
  transport::PeerCard Card(const sign::SigningKey& key, const sign::SigningKey* former = nullptr) {
    transport::PeerCard card;
    card.agency = files_.agency();
    card.name = "Agency " + files_.agency();
    card.spiffe_id = files_.gateway_id();
    card.address = "192.0.2.7:7443";
    card.log_key = sign::EncodePublicKey(log_key_.public_key());
    card.protocol_min = 1;
    card.protocol_max = 1;
    card.capabilities = {"direct"};
    card.anchor_pem = testing::ReadText(files_.anchor());
    const auto chain = transport::ParseCertificateChain(card.anchor_pem);
    COMITY_CHECK(chain.has_value());
    card.anchor_fingerprint = EncodeHex(transport::Fingerprint(*chain->leaf).view());
    const auto made = transport::SignPeerCard(card, key, former);
    COMITY_CHECK(made.has_value());
    return *made;
  }
  sign::SigningKey NewKey() { return sign::SigningKey::Generate(random_); }

 private:
  SystemRandom random_;
  testing::TestAgency files_;
  sign::SigningKey log_key_ = sign::SigningKey::Generate(random_);
};

}  // namespace comity::gateway
