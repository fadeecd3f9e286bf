// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "services/cli/command_line.h"
#include "services/cli/session.h"

namespace comity::cli {

// `comity watchlist entry | withdraw | correct | restrict | unrestrict`.
void AddWatchlistEntries(CommandLine& line, Session& session);

}  // namespace comity::cli
