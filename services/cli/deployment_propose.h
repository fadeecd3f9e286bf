// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "services/cli/command_line.h"
#include "services/cli/session.h"

namespace comity::cli {

// Adds `deployment propose` and `deployment change`. `session` must outlive the command line.
void AddDeploymentProposals(CommandLine& line, Session& session);

}  // namespace comity::cli
