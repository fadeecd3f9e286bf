// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "services/cli/command_line.h"
#include "services/cli/session.h"

namespace comity::cli {

// Each adds the commands of one group. `session` must outlive the command line.
void AddPkiCommands(CommandLine& line, Session& session);
void AddAgreementCommands(CommandLine& line, Session& session);
void AddWatchlistCommands(CommandLine& line, Session& session);
void AddDeploymentCommands(CommandLine& line, Session& session);
void AddStopCommands(CommandLine& line, Session& session);
void AddAlertCommands(CommandLine& line, Session& session);
void AddSearchCommands(CommandLine& line, Session& session);
void AddAuditCommands(CommandLine& line, Session& session);
void AddNodeCommands(CommandLine& line, Session& session);  // status, version
void AddPersonCommands(CommandLine& line, Session& session);
void AddPeerCommands(CommandLine& line, Session& session);
void AddCertificateCommands(CommandLine& line, Session& session);
void AddApprovalCommands(CommandLine& line, Session& session);
void AddNoticeCommands(CommandLine& line, Session& session);
void AddRetentionCommands(CommandLine& line, Session& session);
void AddBackupCommands(CommandLine& line, Session& session);  // backup, restore, restoration
void AddBenchCommands(CommandLine& line, Session& session);
void AddEngineCommands(CommandLine& line, Session& session);
void AddDoctorCommand(CommandLine& line, Session& session);

}  // namespace comity::cli
