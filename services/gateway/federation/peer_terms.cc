// SPDX-License-Identifier: Apache-2.0
#include "services/gateway/federation/peer_terms.h"

#include "services/identity/visible_text.h"

namespace comity::gateway {
namespace {

constexpr std::size_t kMaxName = 128;

}  // namespace

Result<identity::PeerTerms> TermsOf(const transport::PeerCard& card) {
  COMITY_RETURN_IF_ERROR(identity::CheckVisibleText("an agency's name", card.name, kMaxName));
  identity::PeerTerms terms;
  COMITY_ASSIGN_OR_RETURN(terms.agency, policy::AgencyId::Parse(card.agency));
  terms.name = card.name;
  terms.spiffe_id = card.spiffe_id;
  terms.address = card.address;
  COMITY_ASSIGN_OR_RETURN(terms.signing_key, sign::ParsePublicKey(card.signing_key));
  COMITY_ASSIGN_OR_RETURN(terms.log_key, sign::ParsePublicKey(card.log_key));
  terms.anchor_pem = card.anchor_pem;
  terms.protocol_min = card.protocol_min;
  terms.protocol_max = card.protocol_max;
  terms.capabilities = card.capabilities;
  terms.fingerprint = transport::CardFingerprint(card);
  return terms;
}

Result<identity::PeerTerms> ReadTerms(std::string_view text) {
  COMITY_ASSIGN_OR_RETURN(const transport::PeerCard card, transport::ParsePeerCard(text));
  return TermsOf(card);
}

}  // namespace comity::gateway
