// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>

#include "crypto/base/random.h"
#include "services/casework/alerts.h"
#include "services/gateway/federation/peer_links.h"
#include "services/gateway/wire/signed_message.h"
#include "services/matching/requester_session.h"
#include "services/runtime/logging.h"

namespace comity::gateway {

struct SealedSource;

// What a link to a holder stands on; all must outlive it.
struct LinkPorts {
  const PeerLinks& peers;
  const MessageSigner& signer;
  const MessageVerifier& verifier;
  const matching::RequesterPorts& search;
  casework::AlertDesk& alerts;
  RandomSource& random;
  runtime::Logger& logger;
  std::chrono::seconds peer_deadline;  // how long a holder may take to open a session
  const SealedSource& sealed;
};

}  // namespace comity::gateway
