// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "services/cli/findings.h"
#include "services/runtime/clock.h"
#include "services/runtime/config.h"

namespace comity::cli {

// The checks of `comity doctor`. Each adds what it finds and never fails itself.

// Own certificate, roots, revocation list and key files.
void CheckKeys(const runtime::Config& config, runtime::Instant now, Findings& findings);

// The data folder and the three ports.
void CheckHost(const runtime::Config& config, Findings& findings);

// Files that pin each peer, and whether two peers or a peer and this agency are mixed up.
void CheckPeerFiles(const runtime::Config& config, runtime::Instant now, Findings& findings);

// A TLS handshake with each peer, at most 3 s each. `clock` must outlive the call.
void CheckPeerReachability(const runtime::Config& config, const runtime::Clock& clock,
                           Findings& findings);

}  // namespace comity::cli
