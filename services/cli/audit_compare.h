// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "services/cli/command_line.h"
#include "services/cli/session.h"

namespace comity::cli {

// `comity audit compare`. `session` must outlive the command line.
void AddAuditCompare(CommandLine& line, Session& session);

}  // namespace comity::cli
