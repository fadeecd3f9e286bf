// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "crypto/base/result.h"
#include "policy/model/agreement.h"
#include "services/cli/command_line.h"
#include "services/cli/session.h"

namespace comity::cli {

// `comity agreement diff | test | explain`: what a document would change and decide, before anyone
// signs it.
void AddAgreementTrials(CommandLine& line, Session& session);

// Prints the clauses that differ. kNo: some do.
Result<ExitCode> PrintDifference(const policy::Agreement& before, const policy::Agreement& after,
                                 const Session& session);

}  // namespace comity::cli
