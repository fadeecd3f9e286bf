// SPDX-License-Identifier: Apache-2.0
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <thread>
#include <vector>

#include "comity/v1/node.grpc.pb.h"
#include "services/cli/approval_text.h"
#include "services/cli/commands.h"
#include "services/cli/node_concerns.h"
#include "services/cli/node_text.h"
#include "services/cli/output.h"
#include "services/cli/own_gateway.h"
#include "services/cli/version.h"

namespace comity::cli {
namespace {

using Json = nlohmann::ordered_json;

struct NodeOptions {
  bool quick = false;
  std::optional<std::uint64_t> watch;  // seconds between two looks
};

Result<ExitCode> Look(const NodeOptions& options, const Session& session,
                      const OwnGateway& gateway) {
  v1::NodeStatusRequest request;
  request.set_contact_peers(!options.quick);
  COMITY_ASSIGN_OR_RETURN(const v1::NodeStatusResponse status,
                          gateway.Call<v1::Node>(&v1::Node::Stub::Status, request));
  const std::vector<Concern> concerns = ConcernsOf(status, !options.quick);
  const NodeReport report{status, concerns, !options.quick};
  if (session.json) {
    PrintJson(NodeJson(report));
  } else {
    const bool clears = options.watch && ::isatty(STDOUT_FILENO) == 1;
    Print((clears ? "\x1b[H\x1b[2J" : "") + NodeText(report));
  }
  return concerns.empty() ? ExitCode::kOk : ExitCode::kAttention;
}

// A look that fails is told and the next one is taken: a watch outlives a restart of the gateway.
Result<ExitCode> Watch(const NodeOptions& options, const Session& session,
                       const OwnGateway& gateway) {
  while (true) {
    const auto look = Look(options, session, gateway);
    if (!look) PrintError("comity: " + Clean(look.error().detail));
    if (!FlushOutput()) return ExitCode::kInternal;
    std::this_thread::sleep_for(std::chrono::seconds(*options.watch));
  }
}

Result<ExitCode> Status(const NodeOptions& options, const Session& session) {
  COMITY_ASSIGN_OR_RETURN(const OwnGateway gateway, OwnGateway::Open(session));
  return options.watch ? Watch(options, session, gateway) : Look(options, session, gateway);
}

Result<ExitCode> AcknowledgeConfiguration(const Session& session) {
  COMITY_ASSIGN_OR_RETURN(const OwnGateway gateway, OwnGateway::Open(session));
  COMITY_ASSIGN_OR_RETURN(const v1::NodeStatusResponse status,
                          gateway.Call<v1::Node>(&v1::Node::Stub::Status, v1::NodeStatusRequest()));
  v1::AcknowledgeConfigurationRequest request;
  request.set_configuration(status.configuration());
  COMITY_ASSIGN_OR_RETURN(
      const v1::PendingAct act,
      gateway.Call<v1::Node>(&v1::Node::Stub::AcknowledgeConfiguration, request));
  ReportPending(act, session.json);
  return ExitCode::kOk;
}

Result<ExitCode> Version(const Session& session) {
  if (session.json) {
    PrintJson(Json{{"version", std::string(kVersion)}});
  } else {
    Print("comity " + std::string(kVersion) + "\n");
  }
  return ExitCode::kOk;
}

}  // namespace

void AddNodeCommands(CommandLine& line, Session& session) {
  const auto options = std::make_shared<NodeOptions>();
  line.Add(
          {"status", "the own gateway on one screen, problems first",
           "Asks the own gateway how it, its partners, agreements, lists, queues, capacities, log\n"
           "and certificates stand, and has it say hello to each partner (up to 3 s). What needs\n"
           "somebody comes first, each with what to do. What the caller's roles may not see is\n"
           "withheld. Ends with 0 when all is well.",
           "", "comity status --profile northshire/people/j-smith.toml",
           "something needs attention"},
          Asks::kGateway, [options, &session] { return Status(*options, session); })
      .Add({"--no-contact", "", "do not contact partners", false}, options->quick)
      .Add({"--watch", "SECONDS", "look again and again until Ctrl-C, 1 to 3600 s apart", false},
           CountTarget{options->watch, 1, 3600});
  line.Group("node", "the own gateway's set-up");
  line.Add({"node acknowledge-configuration", "propose to acknowledge a changed configuration",
            "When a gateway starts with another configuration than before, its administrators are\n"
            "told. One of them proposes with this command to acknowledge it, another approves.",
            "it is acknowledged already", "comity node acknowledge-configuration"},
           Asks::kGateway, [&session] { return AcknowledgeConfiguration(session); });
  line.Add({"version", "version of this program", "Prints the version.", "", "comity version"},
           Asks::kNobody, [&session] { return Version(session); });
}

}  // namespace comity::cli
