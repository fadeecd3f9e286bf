// SPDX-License-Identifier: Apache-2.0
#include <memory>
#include <nlohmann/json.hpp>

#include "comity/v1/deployments.grpc.pb.h"
#include "services/cli/commands.h"
#include "services/cli/deployment_create.h"
#include "services/cli/output.h"
#include "services/cli/own_gateway.h"
#include "services/cli/wire_text.h"

namespace comity::cli {
namespace {

using Json = nlohmann::ordered_json;

struct StopOptions {
  std::string deployment, reason;
};

std::string ModeText(v1::SearchMode mode) {
  if (mode == v1::SEARCH_MODE_DIRECT) return "direct";
  return mode == v1::SEARCH_MODE_SEALED ? "sealed" : "";
}

Json SummaryJson(const v1::DeploymentSummary& summary) {
  const v1::DeploymentDefinition& definition = summary.definition();
  return {{"deployment", summary.deployment()},
          {"state", summary.state()},
          {"agreement", definition.agreement()},
          {"purpose", definition.purpose()},
          {"list_categories", definition.list_categories()},
          {"engine", ToJson(definition.engine())},
          {"engine_name", definition.engine_name()},
          {"threshold", definition.threshold()},
          {"place", definition.place()},
          {"reason", definition.reason()},
          {"case_ref", definition.case_ref()},
          {"starts_at", TimeText(definition.starts_at())},
          {"ends_at", TimeText(definition.ends_at())},
          {"mode", ModeText(definition.mode())},
          {"created_at", TimeText(summary.created_at())},
          {"faces", summary.faces()},
          {"alerts", summary.alerts()}};
}

Result<ExitCode> List(const Session& session) {
  COMITY_ASSIGN_OR_RETURN(const OwnGateway gateway, OwnGateway::Open(session));
  COMITY_ASSIGN_OR_RETURN(
      const v1::ListDeploymentsResponse response,
      gateway.Call<v1::Deployments>(&v1::Deployments::Stub::List, v1::ListDeploymentsRequest()));
  Table table({"DEPLOYMENT", "STATE", "AGREEMENT", "PURPOSE", "ENGINE", "PLACE", "ENDS", "FACES",
               "ALERTS"});
  Json json = Json::array();
  for (const v1::DeploymentSummary& summary : response.deployments()) {
    json.push_back(SummaryJson(summary));
    const v1::DeploymentDefinition& definition = summary.definition();
    table.Add({summary.deployment(), summary.state(), definition.agreement(), definition.purpose(),
               definition.engine_name(), definition.place(), TimeText(definition.ends_at()),
               std::to_string(summary.faces()), std::to_string(summary.alerts())});
  }
  if (session.json) {
    PrintJson(json);
  } else {
    Print(table.empty() ? "no deployments\n" : table.Text());
  }
  return ExitCode::kOk;
}

Result<ExitCode> Stop(const StopOptions& options, const Session& session) {
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
  AddDeploymentCreate(line, session);
  line.Add(
      {"deployment list", "deployments and their counts",
       "Prints deployments with their state; faces and alerts count since the gateway started.", "",
       "comity deployment list"},
      Asks::kGateway, [&session] { return List(session); });
  const auto options = std::make_shared<StopOptions>();
  line.Add({"deployment stop", "end a live operation",
            "Stops a deployment. When the command ends, no face in it is answered any more; its\n"
            "streams end within a second.",
            "it is over already", "comity deployment stop d-... --reason 'suspect arrested'"},
           Asks::kGateway, [options, &session] { return Stop(*options, session); })
      .Add({"deployment", "ID", "deployment id", true}, options->deployment)
      .Add({"--reason", "TEXT", "why, up to 1000 octets", true}, options->reason);
}

}  // namespace comity::cli
