// SPDX-License-Identifier: Apache-2.0
#include <memory>
#include <nlohmann/json.hpp>

#include "comity/v1/node.grpc.pb.h"
#include "services/cli/approval_text.h"
#include "services/cli/commands.h"
#include "services/cli/output.h"
#include "services/cli/own_gateway.h"
#include "services/cli/version.h"
#include "services/cli/wire_text.h"

namespace comity::cli {
namespace {

using Json = nlohmann::ordered_json;

struct NodeOptions {
  bool quick = false;
};

Json StatusJson(const v1::NodeStatusResponse& status, bool contacted) {
  Json json = {{"agency", status.agency()},
               {"version", status.version()},
               {"now", TimeText(status.now())},
               {"started_at", TimeText(status.started_at())},
               {"log_size", status.log_size()},
               {"checkpoint_size", status.checkpoint_size()},
               {"certificate_expires_at", TimeText(status.certificate_expires_at())},
               {"configuration", HexText(status.configuration())},
               {"configuration_acknowledged", status.configuration_acknowledged()},
               {"peers", Json::array()}};
  for (const v1::PeerStatus& peer : status.peers()) {
    Json entry = {{"agency", peer.agency()}, {"address", peer.address()}};
    entry["reachable"] = contacted ? Json(peer.reachable()) : Json(nullptr);
    entry["fault"] = peer.fault().empty() ? Json(nullptr) : Json(peer.fault());
    entry["clock_skew_ms"] = peer.reachable() ? Json(peer.clock_skew_ms()) : Json(nullptr);
    entry["protocol"] = peer.reachable() ? Json(peer.protocol()) : Json(nullptr);
    json["peers"].push_back(entry);
  }
  return json;
}

std::string StatusText(const v1::NodeStatusResponse& status, bool contacted) {
  std::string text =
      "agency       " + Clean(status.agency()) + "\nversion      " + Clean(status.version()) +
      "\ntime there   " + TimeText(status.now()) + "\nup since     " +
      TimeText(status.started_at()) + "\nlog entries  " + std::to_string(status.log_size()) + ", " +
      std::to_string(status.checkpoint_size()) + " under a checkpoint\ncertificate  expires " +
      TimeText(status.certificate_expires_at()) + "\n";
  if (!status.configuration_acknowledged()) {
    text += "configuration  CHANGED, SHA-256 " + HexText(status.configuration()) +
            ": comity node acknowledge-configuration\n";
  }
  Table table({"PEER", "ADDRESS", "REACHABLE", "CLOCK", "PROTOCOL", "FAULT"});
  for (const v1::PeerStatus& peer : status.peers()) {
    const bool is_there = peer.reachable();
    table.Add({peer.agency(), peer.address(), contacted ? (is_there ? "yes" : "NO") : "",
               is_there ? std::to_string(peer.clock_skew_ms()) + " ms" : "",
               is_there ? std::to_string(peer.protocol()) : "", peer.fault()});
  }
  return text + (table.empty() ? "no peers\n" : table.Text());
}

Result<ExitCode> Status(const NodeOptions& options, const Session& session) {
  COMITY_ASSIGN_OR_RETURN(const OwnGateway gateway, OwnGateway::Open(session));
  v1::NodeStatusRequest request;
  request.set_contact_peers(!options.quick);
  COMITY_ASSIGN_OR_RETURN(const v1::NodeStatusResponse status,
                          gateway.Call<v1::Node>(&v1::Node::Stub::Status, request));
  if (session.json) {
    PrintJson(StatusJson(status, !options.quick));
  } else {
    Print(StatusText(status, !options.quick));
  }
  for (const v1::PeerStatus& peer : status.peers()) {
    if (!options.quick && !peer.reachable()) return ExitCode::kNo;
  }
  return ExitCode::kOk;
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
  line.Add({"status", "the own gateway and its peers",
            "Prints what the own gateway says of itself and says hello to each peer through it (up "
            "to\n"
            "3 s).",
            "a peer is not reachable", "comity status --profile northshire/people/j-smith.toml"},
           Asks::kGateway, [options, &session] { return Status(*options, session); })
      .Add({"--no-contact", "", "do not contact peers", false}, options->quick);
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
