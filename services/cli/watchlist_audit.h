// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "comity/v1/watchlists.pb.h"
#include "services/cli/command_line.h"
#include "services/cli/session.h"

namespace comity::cli {

// Whether every block is verified, or withdrawn with cause.
bool IsAccountedFor(const v1::AuditWatchlistResponse& response);

// `watchlist audit`. `session` must outlive the command line.
void AddWatchlistAudit(CommandLine& line, Session& session);

}  // namespace comity::cli
