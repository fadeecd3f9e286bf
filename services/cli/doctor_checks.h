// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "services/cli/findings.h"
#include "services/runtime/clock.h"
#include "services/runtime/config.h"

namespace comity::cli {

// The checks of `comity doctor`. Each adds what it finds and never fails itself.

// Own certificate, roots, revocation list and key files.
void CheckKeys(const runtime::Config& config, runtime::Instant now, Findings& findings);

// The data folder, swap and the three ports.
void CheckHost(const runtime::Config& config, Findings& findings);

// The two administrators of the configuration: whether the agency port would let them in.
void CheckAdministrators(const runtime::Config& config, runtime::Instant now, Findings& findings);

// Whether partners could enrol this agency.
void CheckOwnCard(const runtime::Config& config, runtime::Instant now, Findings& findings);

// The partners' revocation lists, if the configuration names a folder of them.
void CheckRevocationFolder(const runtime::Config& config, runtime::Instant now, Findings& findings);

}  // namespace comity::cli
