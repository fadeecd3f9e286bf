// SPDX-License-Identifier: Apache-2.0
#include <memory>
#include <nlohmann/json.hpp>

#include "comity/v1/deployments.grpc.pb.h"
#include "services/cli/commands.h"
#include "services/cli/deployment_propose.h"
#include "services/cli/deployment_text.h"
#include "services/cli/output.h"
#include "services/cli/own_gateway.h"
#include "services/cli/wire_text.h"

namespace comity::cli {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::uint64_t kMaxListed = 1000;

struct DeploymentOptions {
  std::string deployment, reason;
  std::optional<std::uint64_t> limit;
};

Result<ExitCode> List(const DeploymentOptions& options, const Session& session) {
  COMITY_ASSIGN_OR_RETURN(const OwnGateway gateway, OwnGateway::Open(session));
  v1::ListDeploymentsRequest request;
  request.set_limit(static_cast<std::uint32_t>(options.limit.value_or(0)));
  COMITY_ASSIGN_OR_RETURN(const v1::ListDeploymentsResponse response,
                          gateway.Call<v1::Deployments>(&v1::Deployments::Stub::List, request));
  Table table({"DEPLOYMENT", "STATE", "PURPOSE", "ENGINE", "PLACE", "ENDS", "FACES", "ALERTS",
               "FALSE", "HALTED BY"});
  Json json = Json::array();
  for (const v1::DeploymentSummary& summary : response.deployments()) {
    json.push_back(SummaryJson(summary));
    const v1::DeploymentDefinition& definition = summary.definition();
    table.Add({summary.deployment(), summary.state(), definition.purpose(),
               definition.engine_name(), definition.place(), TimeText(definition.ends_at()),
               std::to_string(summary.faces()), std::to_string(summary.alerts()),
               std::to_string(summary.false_alerts()), summary.halted()});
  }
  if (session.json) {
    PrintJson(json);
  } else {
    Print(table.empty() ? "no deployments\n" : table.Text());
  }
  return ExitCode::kOk;
}

Result<ExitCode> Show(const DeploymentOptions& options, const Session& session) {
  COMITY_ASSIGN_OR_RETURN(const OwnGateway gateway, OwnGateway::Open(session));
  v1::GetDeploymentRequest request;
  request.set_deployment(options.deployment);
  COMITY_ASSIGN_OR_RETURN(const v1::DeploymentSummary summary,
                          gateway.Call<v1::Deployments>(&v1::Deployments::Stub::Get, request));
  if (session.json) {
    PrintJson(SummaryJson(summary));
  } else {
    Print(SummaryText(summary));
  }
  return ExitCode::kOk;
}

Result<ExitCode> Stop(const DeploymentOptions& options, const Session& session) {
  COMITY_ASSIGN_OR_RETURN(const OwnGateway gateway, OwnGateway::Open(session));
  v1::StopDeploymentRequest request;
  request.set_deployment(options.deployment);
  request.set_reason(options.reason);
  COMITY_RETURN_IF_ERROR(gateway.Call<v1::Deployments>(&v1::Deployments::Stub::Stop, request));
  if (session.json) {
    PrintJson(Json{{"deployment", options.deployment}, {"state", "stopped"}});
  } else {
    Print(options.deployment + " is stopped; no face in it is answered any more\n");
  }
  return ExitCode::kOk;
}

}  // namespace

void AddDeploymentCommands(CommandLine& line, Session& session) {
  line.Group("deployment", "live operations");
  AddDeploymentProposals(line, session);
  auto options = std::make_shared<DeploymentOptions>();
  line.Add({"deployment list", "deployments and their counts",
            "Prints deployments, newest first, with their state, counts, and what halts them.", "",
            "comity deployment list"},
           Asks::kGateway, [options, &session] { return List(*options, session); })
      .Add({"--limit", "N", "how many, 1 to 1000; default 100", false},
           CountTarget{options->limit, 1, kMaxListed});
  options = std::make_shared<DeploymentOptions>();
  line.Add({"deployment show", "one deployment",
            "Prints why, who, where and when; how each holder stands (it is searched once it has\n"
            "validated its lists); counts against the false-alert budget; and what halts it.",
            "", "comity deployment show d-..."},
           Asks::kGateway, [options, &session] { return Show(*options, session); })
      .Add({"deployment", "ID", "deployment id", true}, options->deployment);
  options = std::make_shared<DeploymentOptions>();
  line.Add({"deployment stop", "end a live operation",
            "Stops a deployment for good. When the command ends, no face in it is answered any\n"
            "more; its streams end within a second. A halt that can be lifted: comity stop set.",
            "it is over already", "comity deployment stop d-... --reason 'suspect arrested'"},
           Asks::kGateway, [options, &session] { return Stop(*options, session); })
      .Add({"deployment", "ID", "deployment id", true}, options->deployment)
      .Add({"--reason", "TEXT", "why, up to 1000 octets", true}, options->reason);
}

}  // namespace comity::cli
