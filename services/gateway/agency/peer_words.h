// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "services/identity/peer.h"

// Acts about partners as the approver reads them, one statement a line.
namespace comity::gateway {

// Name, address, keys and every fingerprint.
std::string WordsOf(const identity::PeerTerms& terms);
// What the approver must ask the partner, over a way known before, and what to do with the answer.
std::string Question(const identity::PeerTerms& terms);
std::string RekeyWords(const identity::Peer& before, const identity::PeerTerms& terms,
                       const identity::Rekeying& how);
std::string OwnRekeyWords(const identity::PeerTerms& terms, const identity::Rekeying& how);

}  // namespace comity::gateway
