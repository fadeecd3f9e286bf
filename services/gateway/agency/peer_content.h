// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "crypto/base/result.h"
#include "policy/model/instant.h"
#include "services/identity/peer.h"

// The contents of acts about partners that need two people: canonical JSON, one closed form each
// (docs/formats/peer_card.md).
namespace comity::gateway {

// peer-enrol and peer-rekey.
struct PeerCardAct {
  std::string card;        // TOML, as it was handed in
  std::string address;     // instead of the card's; empty: the card's
  identity::Rekeying how;  // peer-rekey only
};
std::string EncodePeerCardAct(const PeerCardAct& act);
Result<PeerCardAct> ParsePeerCardAct(std::string_view content);
// What the act says of the partner, its address replaced if another was given.
// Errors: those of ReadTerms; kInvalidArgument  the address
Result<identity::PeerTerms> TermsOf(const PeerCardAct& act);

// peer-resume and peer-remove.
struct PeerStateAct {
  policy::AgencyId agency;
  std::string reason;
  // peer-resume, and only there: which suspension ends (Peer::changed_at when it was proposed).
  std::optional<policy::Instant> suspended_at{};
};
std::string EncodePeerStateAct(const PeerStateAct& act);
// Errors: kInvalidArgument  also a reason that is not 1..1000 octets of visible text
Result<PeerStateAct> ParsePeerStateAct(std::string_view content);

}  // namespace comity::gateway
