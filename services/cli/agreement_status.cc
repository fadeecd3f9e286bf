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

struct StatusOptions {
  std::string target;
  std::string party, purpose, item, review_before, status;
};

Json SummaryJson(const v1::AgreementSummary& summary) {
  Json json = {{"agreement", ToJson(summary.agreement())},
               {"title", summary.title()},
               {"status", summary.status()},
               {"against_advice", summary.against_advice()},
               {"conditional_advice", summary.conditional_advice()},
               {"missing", summary.missing()},
               {"parties", summary.parties()},
               {"effective_from", TimeText(summary.effective_from())},
               {"effective_until", TimeText(summary.effective_until())},
               {"terminates_at", TimeText(summary.terminates_at())},
               {"review_by", TimeText(summary.review_by())},
               {"reviewed", summary.reviewed()},
               {"missing_reviews", summary.missing_reviews()},
               {"purposes", summary.purposes()},
               {"items", summary.items()},
               {"statements", Json::array()},
               {"statements_left_out", summary.statements_left_out()},
               {"deliveries", Json::array()}};
  for (const v1::StatementSummary& statement : summary.statements()) {
    json["statements"].push_back({{"id", HexText(statement.id())},
                                  {"kind", statement.kind()},
                                  {"party", statement.party()},
                                  {"post", statement.post()},
                                  {"position", statement.position()},
                                  {"at", TimeText(statement.at())},
                                  {"barred", statement.barred()}});
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

// What the peer has, and whether the two sides say the same.
std::string PeerText(const v1::AgreementSummary& summary) {
  std::string text;
  for (const v1::PeerDelivery& delivery : summary.deliveries()) {
    text += text.empty() ? "" : "; ";
    if (delivery.status_differs()) {
      text += "DIFFERS: " + delivery.agency() + " says " + delivery.peer_status();
    } else if (!delivery.delivered()) {
      text += delivery.agency() + " not told yet";
    } else {
      text += delivery.agency() + " agrees";
    }
  }
  return text;
}

std::string StatusWords(const v1::AgreementSummary& summary) {
  std::string text = summary.status();
  if (summary.against_advice()) text += " (against advice)";
  if (summary.conditional_advice()) text += " (conditional advice)";
  if (summary.has_terminates_at() && summary.status() != "terminated") {
    text += ", ends " + TimeText(summary.terminates_at());
  }
  return text;
}

std::string Overview(const std::vector<v1::AgreementSummary>& agreements) {
  Table table({"AGREEMENT", "VERSION", "STATUS", "STATEMENTS", "PEER", "MISSING"});
  for (const v1::AgreementSummary& summary : agreements) {
    table.Add({summary.agreement().id(), std::to_string(summary.agreement().version()),
               StatusWords(summary), std::to_string(summary.statements_size()), PeerText(summary),
               Joined(summary.missing())});
  }
  return table.empty() ? "no agreements\n" : table.Text();
}

std::string Statements(const v1::AgreementSummary& summary) {
  std::string text = "\n" + AgreementText(summary.agreement()) + "  " + Clean(summary.title()) +
                     "\nsha256 " + HexText(summary.agreement().sha256()) + "\n";
  Table table({"STATEMENT", "KIND", "PARTY", "POST", "POSITION", "AT", "BARRED"});
  for (const v1::StatementSummary& statement : summary.statements()) {
    table.Add({HexText(statement.id()), statement.kind(), statement.party(), statement.post(),
               statement.position(), TimeText(statement.at()), statement.barred()});
  }
  if (summary.statements_left_out()) {
    return text + "statements left out: there are more than one answer holds\n";
  }
  return text + (table.empty() ? "no statements\n" : table.Text());
}

// On standard error, so that it is seen beside JSON too.
void WarnOfLeftOut(const v1::ListAgreementsResponse& all) {
  if (all.left_out() == 0) return;
  PrintError(
      "agreements left out, for which one answer has no room: " + std::to_string(all.left_out()) +
      "; name an ID, or narrow 'comity agreement list' by its options");
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

Result<ExitCode> Status(const StatusOptions& options, const Session& session) {
  v1::ListAgreementsRequest request;
  if (!options.target.empty()) {
    COMITY_ASSIGN_OR_RETURN(const AgreementName name, ParseAgreementName(options.target));
    request.set_id(name.id);
  }
  COMITY_ASSIGN_OR_RETURN(const OwnGateway gateway, OwnGateway::Open(session));
  COMITY_ASSIGN_OR_RETURN(const v1::ListAgreementsResponse all,
                          gateway.Call<v1::Agreements>(&v1::Agreements::Stub::List, request));
  WarnOfLeftOut(all);
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

Result<v1::ListAgreementsRequest> FilterOf(const StatusOptions& options) {
  v1::ListAgreementsRequest request;
  request.set_party(options.party);
  request.set_purpose(options.purpose);
  request.set_item(options.item);
  request.set_status(options.status);
  if (!options.review_before.empty()) {
    const auto instant = policy::ParseInstant(options.review_before);
    if (!instant) {
      return Fail(ErrorCode::kInvalidArgument, "--review-before: " + instant.error().detail);
    }
    *request.mutable_review_before() = ToTimestamp(*instant);
  }
  return request;
}

// The register as a list: what each agreement is for, and when it must be looked at.
std::string Register(const v1::ListAgreementsResponse& all) {
  Table table({"AGREEMENT", "STATUS", "PARTIES", "PURPOSES", "REVIEW BY", "UNTIL", "TITLE"});
  for (const v1::AgreementSummary& summary : all.agreements()) {
    table.Add({AgreementText(summary.agreement()), StatusWords(summary), Joined(summary.parties()),
               Joined(summary.purposes()), TimeText(summary.review_by()),
               TimeText(summary.effective_until()), summary.title()});
  }
  return table.empty() ? "no agreements\n" : table.Text();
}

Result<ExitCode> List(const StatusOptions& options, const Session& session) {
  COMITY_ASSIGN_OR_RETURN(const v1::ListAgreementsRequest request, FilterOf(options));
  COMITY_ASSIGN_OR_RETURN(const OwnGateway gateway, OwnGateway::Open(session));
  COMITY_ASSIGN_OR_RETURN(const v1::ListAgreementsResponse all,
                          gateway.Call<v1::Agreements>(&v1::Agreements::Stub::List, request));
  WarnOfLeftOut(all);
  if (!session.json) {
    Print(Register(all));
    return ExitCode::kOk;
  }
  Json json = Json::array();
  for (const v1::AgreementSummary& summary : all.agreements()) json.push_back(SummaryJson(summary));
  PrintJson(json);
  return ExitCode::kOk;
}

void AddList(CommandLine& line, Session& session) {
  const auto options = std::make_shared<StatusOptions>();
  line.Add({"agreement list", "the register of agreements",
            "Lists the agreements this agency is a party of, all or those that every given filter\n"
            "finds.",
            "",
            "comity agreement list --party eastvale-council --review-before "
            "2027-01-01T00:00:00Z"},
           Asks::kGateway, [options, &session] { return List(*options, session); })
      .Add({"--party", "AGENCY", "with this agency", false}, options->party)
      .Add({"--purpose", "CODE", "with this purpose", false}, options->purpose)
      .Add({"--item", "ITEM",
            "that release this: reference-number, category, response-code or similarity", false},
           options->item)
      .Add({"--review-before", "TIME", "that must be reviewed before this (RFC 3339)", false},
           options->review_before)
      .Add({"--status", "STATUS", "in this status, such as in-force or suspended", false},
           options->status);
}

}  // namespace

void AddAgreementStatus(CommandLine& line, Session& session) {
  AddList(line, session);
  const auto options = std::make_shared<StatusOptions>();
  line.Add({"agreement status", "status of agreements",
            "Lists agreements: version, status, what still lacks, and whether the peer computes "
            "the\n"
            "same status. With an ID also every statement and its id.",
            "", "comity agreement status northshire-eastvale-2026"},
           Asks::kGateway, [options, &session] { return Status(*options, session); })
      .Add({"id", "ID", "agreement id (ID or ID@VERSION)", false}, options->target);
}

}  // namespace comity::cli
