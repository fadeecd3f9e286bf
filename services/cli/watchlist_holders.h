// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "services/cli/command_line.h"
#include "services/cli/session.h"

namespace comity::cli {

// watchlist holders: who was told of an entry. `session` must outlive the command line.
void AddWatchlistHolders(CommandLine& line, Session& session);
// agreement receipts: who has deleted what it got under an agreement that ended.
void AddAgreementReceipts(CommandLine& line, Session& session);

}  // namespace comity::cli
