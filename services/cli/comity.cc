// SPDX-License-Identifier: Apache-2.0
// comity: command line of a gateway, for its officers, signatories, operators and administrators.
#include <cstdlib>

#include "services/cli/command_line.h"
#include "services/cli/commands.h"
#include "services/cli/output.h"
#include "services/cli/session.h"
#include "services/runtime/clock.h"
#include "services/transport/tls_policy.h"

int main(int argc, char** argv) {
  using namespace comity;
  if (const Status tls = transport::EnforceTls13(); !tls) {
    cli::PrintError("comity: " + tls.error().detail);
    return static_cast<int>(cli::ExitCode::kInternal);
  }
  // gRPC's own messages would stand between ours; whoever looks for a fault can set it.
  ::setenv("GRPC_VERBOSITY", "NONE", 0);
  const runtime::SystemClock clock;
  cli::Session session{clock, {}, false};
  cli::CommandLine line(session);
  cli::AddPkiCommands(line, session);
  cli::AddAgreementCommands(line, session);
  cli::AddWatchlistCommands(line, session);
  cli::AddDeploymentCommands(line, session);
  cli::AddStopCommands(line, session);
  cli::AddAlertCommands(line, session);
  cli::AddSearchCommands(line, session);
  cli::AddAuditCommands(line, session);
  cli::AddNodeCommands(line, session);
  cli::AddPersonCommands(line, session);
  cli::AddPeerCommands(line, session);
  cli::AddCertificateCommands(line, session);
  cli::AddApprovalCommands(line, session);
  cli::AddNoticeCommands(line, session);
  cli::AddRetentionCommands(line, session);
  cli::AddBackupCommands(line, session);
  cli::AddBenchCommands(line, session);
  cli::AddEngineCommands(line, session);
  cli::AddDoctorCommand(line, session);
  const cli::ExitCode code = line.Execute(argc, argv);
  if (!cli::FlushOutput()) {
    cli::PrintError("comity: the output could not be written whole (standard output)");
    return static_cast<int>(cli::ExitCode::kInternal);
  }
  return static_cast<int>(code);
}
