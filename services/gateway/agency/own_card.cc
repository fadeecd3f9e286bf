// SPDX-License-Identifier: Apache-2.0
#include "services/gateway/agency/own_card.h"

#include <utility>

#include "crypto/base/encoding.h"
#include "services/gateway/federation/peer_view.h"
#include "services/transport/certificate.h"
#include "services/transport/own_anchor.h"
#include "services/transport/peer_identity.h"

namespace comity::gateway {

Result<transport::PeerCard> OwnCard::Make(const std::string& address) const {
  transport::PeerCard card;
  card.agency = setup_.agency;
  card.name = setup_.name;
  card.spiffe_id =
      transport::EncodeSpiffeId({transport::PeerKind::kGateway, setup_.trust_domain, {}});
  card.address = address;
  card.log_key = sign::EncodePublicKey(setup_.log_key);
  card.protocol_min = kProtocolMin;
  card.protocol_max = kProtocolMax;
  card.capabilities.assign(kCapabilities.begin(), kCapabilities.end());
  COMITY_ASSIGN_OR_RETURN(
      card.anchor_pem,
      transport::OwnAnchor(setup_.identity_file, setup_.roots_file, setup_.clock.Now()));
  COMITY_ASSIGN_OR_RETURN(const auto chain, transport::ParseCertificateChain(card.anchor_pem));
  card.anchor_fingerprint = EncodeHex(transport::Fingerprint(*chain.leaf).view());
  return transport::SignPeerCard(std::move(card), setup_.agency_key);
}

}  // namespace comity::gateway
