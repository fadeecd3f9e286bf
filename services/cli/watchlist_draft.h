// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "services/cli/command_line.h"
#include "services/cli/session.h"

namespace comity::cli {

// `comity watchlist draft | copy | submit | approve-entries`.
void AddWatchlistDraft(CommandLine& line, Session& session);

}  // namespace comity::cli
