// SPDX-License-Identifier: Apache-2.0
#include "services/cli/agreement_status.h"

#include <memory>
#include <nlohmann/json.hpp>
#include <vector>

#include "comity/v1/agreements.grpc.pb.h"
#include "services/cli/agreement_acts.h"
#include "services/cli/agreement_source.h"
#include "services/cli/output.h"
#include "services/cli/own_gateway.h"
#include "services/cli/wire_text.h"

namespace comity::cli {
namespace {

using Json = nlohmann::ordered_json;

struct Options {
  std::string target;
};

Json SummaryJson(const v1::AgreementSummary& summary) {
  Json json = {{"agreement", ToJson(summary.agreement())},
               {"title", summary.title()},
               {"status", summary.status()},
               {"against_advice", summary.against_advice()},
               {"missing", summary.missing()},
               {"parties", summary.parties()},
               {"effective_from", TimeText(summary.effective_from())},
               {"effective_until", TimeText(summary.effective_until())},
               {"statements", Json::array()},
               {"deliveries", Json::array()}};
  for (const v1::StatementSummary& statement : summary.statements()) {
    json["statements"].push_back({{"id", HexText(statement.id())},
                                  {"kind", statement.kind()},
                                  {"party", statement.party()},
                                  {"post", statement.post()},
                                  {"position", statement.position()},
                                  {"at", TimeText(statement.at())}});
  }
  for (const v1::PeerDelivery& delivery : summary.deliveries()) {
    json["deliveries"].push_back(DeliveryJson(delivery));
  }
  return json;
}

std::string Joined(const google::protobuf::RepeatedPtrField<std::string>& texts) {
  std::string all;
  for (const std::string& text : texts) all += (all.empty() ? "" : "; ") + text;
  return all;
}

// Whether the peer computes the same status from what it has.
std::string PeerText(const v1::AgreementSummary& summary) {
  std::string text;
  for (const v1::PeerDelivery& delivery : summary.deliveries()) {
    text += text.empty() ? "" : "; ";
    if (!delivery.delivered()) {
      text += delivery.agency() + " not told yet";
    } else if (delivery.peer_status() == summary.status()) {
      text += delivery.agency() + " agrees";
    } else {
      text += delivery.agency() + " says " + delivery.peer_status();
    }
  }
  return text;
}

std::string Overview(const std::vector<v1::AgreementSummary>& agreements) {
  Table table({"AGREEMENT", "VERSION", "STATUS", "STATEMENTS", "PEER", "MISSING"});
  for (const v1::AgreementSummary& summary : agreements) {
    table.Add({summary.agreement().id(), std::to_string(summary.agreement().version()),
               summary.status() + (summary.against_advice() ? " (against advice)" : ""),
               std::to_string(summary.statements_size()), PeerText(summary),
               Joined(summary.missing())});
  }
  return table.empty() ? "no agreements\n" : table.Text();
}

std::string Statements(const v1::AgreementSummary& summary) {
  std::string text = "\n" + AgreementText(summary.agreement()) + "  " + Clean(summary.title()) +
                     "\nsha256 " + HexText(summary.agreement().sha256()) + "\n";
  Table table({"STATEMENT", "KIND", "PARTY", "POST", "POSITION", "AT"});
  for (const v1::StatementSummary& statement : summary.statements()) {
    table.Add({HexText(statement.id()), statement.kind(), statement.party(), statement.post(),
               statement.position(), TimeText(statement.at())});
  }
  return text + (table.empty() ? "no statements\n" : table.Text());
}

Result<std::vector<v1::AgreementSummary>> Select(const v1::ListAgreementsResponse& all,
                                                 const std::string& target) {
  std::vector<v1::AgreementSummary> selected(all.agreements().begin(), all.agreements().end());
  if (target.empty()) return selected;
  COMITY_ASSIGN_OR_RETURN(const AgreementName name, ParseAgreementName(target));
  std::erase_if(selected, [&](const v1::AgreementSummary& summary) {
    return summary.agreement().id() != name.id ||
           (name.version != 0 && summary.agreement().version() != name.version);
  });
  if (selected.empty()) {
    return Fail(ErrorCode::kNotFound, "the gateway knows no agreement " + target);
  }
  return selected;
}

Result<ExitCode> Status(const Options& options, const Session& session) {
  COMITY_ASSIGN_OR_RETURN(const OwnGateway gateway, OwnGateway::Open(session));
  COMITY_ASSIGN_OR_RETURN(
      const v1::ListAgreementsResponse all,
      gateway.Call<v1::Agreements>(&v1::Agreements::Stub::List, v1::ListAgreementsRequest()));
  COMITY_ASSIGN_OR_RETURN(const auto selected, Select(all, options.target));
  if (session.json) {
    Json json = Json::array();
    for (const v1::AgreementSummary& summary : selected) json.push_back(SummaryJson(summary));
    PrintJson(json);
    return ExitCode::kOk;
  }
  Print(Overview(selected));
  if (options.target.empty()) return ExitCode::kOk;
  for (const v1::AgreementSummary& summary : selected) Print(Statements(summary));
  return ExitCode::kOk;
}

}  // namespace

void AddAgreementStatus(CommandLine& line, Session& session) {
  const auto options = std::make_shared<Options>();
  line.Add({"agreement status", "status of agreements",
            "Lists agreements: version, status, what still lacks, and whether the peer computes "
            "the\n"
            "same status. With an ID also every statement and its id.",
            "", "comity agreement status northshire-eastvale-2026"},
           Asks::kGateway, [options, &session] { return Status(*options, session); })
      .Add({"id", "ID", "agreement id (ID or ID@VERSION)", false}, options->target);
}

}  // namespace comity::cli
