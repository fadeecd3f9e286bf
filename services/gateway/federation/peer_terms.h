// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "crypto/base/result.h"
#include "services/identity/peer.h"
#include "services/transport/peer_card.h"

namespace comity::gateway {

// Errors: kInvalidArgument  the name holds characters that cannot be seen
Result<identity::PeerTerms> TermsOf(const transport::PeerCard& card);
// In: text  untrusted TOML. Errors: those of ParsePeerCard and TermsOf
Result<identity::PeerTerms> ReadTerms(std::string_view text);

}  // namespace comity::gateway
