// SPDX-License-Identifier: Apache-2.0
#include "services/cli/deployment_create.h"

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>

#include "comity/v1/deployments.grpc.pb.h"
#include "policy/model/instant.h"
#include "services/cli/output.h"
#include "services/cli/own_gateway.h"
#include "services/cli/wire_text.h"

namespace comity::cli {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::uint64_t kMaxHours = 24;

struct Options {
  std::string agreement, purpose, profile, engine, place, reason, case_ref, starts, ends, mode;
  std::vector<std::string> categories;
  std::optional<std::uint64_t> hours;
  double threshold = 0;
};

Status SetTimes(const Options& options, policy::Instant now, v1::DeploymentDefinition& definition) {
  if (options.ends.empty() == !options.hours.has_value()) {
    return Fail(ErrorCode::kInvalidArgument, "give one of --ends and --hours");
  }
  policy::Instant starts = now;
  if (!options.starts.empty()) {
    COMITY_ASSIGN_OR_RETURN(starts, policy::ParseInstant(options.starts));
  }
  policy::Instant ends = starts + std::chrono::hours(options.hours.value_or(0));
  if (!options.ends.empty()) {
    COMITY_ASSIGN_OR_RETURN(ends, policy::ParseInstant(options.ends));
  }
  *definition.mutable_starts_at() = ToTimestamp(starts);
  *definition.mutable_ends_at() = ToTimestamp(ends);
  return {};
}

Result<v1::DeploymentDefinition> DefinitionOf(const Options& options, policy::Instant now) {
  v1::DeploymentDefinition definition;
  definition.set_agreement(options.agreement);
  definition.set_purpose(options.purpose);
  for (const std::string& category : options.categories) {
    definition.add_list_categories(category);
  }
  COMITY_ASSIGN_OR_RETURN(*definition.mutable_engine(), ParseEngine(options.profile));
  definition.set_engine_name(options.engine);
  definition.set_threshold(options.threshold);
  definition.set_place(options.place);
  definition.set_reason(options.reason);
  definition.set_case_ref(options.case_ref);
  COMITY_ASSIGN_OR_RETURN(const v1::SearchMode mode, ParseMode(options.mode));
  definition.set_mode(mode);
  COMITY_RETURN_IF_ERROR(SetTimes(options, now, definition));
  return definition;
}

bool IsPermit(const v1::HolderOutlook& holder) {
  return holder.decision().code() == v1::DECISION_CODE_PERMIT;
}

Json ResponseJson(const v1::CreateDeploymentResponse& response) {
  Json json = {
      {"deployment", response.deployment().empty() ? Json(nullptr) : Json(response.deployment())},
      {"holders", Json::array()}};
  for (const v1::HolderOutlook& holder : response.holders()) {
    Json entry = {{"agency", holder.agency()}};
    entry.update(ToJson(holder.decision()));
    json["holders"].push_back(entry);
  }
  json["refused"] = response.has_refused() ? ToJson(response.refused()) : Json(nullptr);
  return json;
}

std::string DecisionText(const v1::Decision& decision) {
  std::string text = DecisionCodeText(decision.code());
  if (decision.has_agreement()) text += ", agreement " + AgreementText(decision.agreement());
  for (int i = 0; i < decision.clauses_size(); ++i) {
    text += (i == 0 ? ", clauses " : " ") + decision.clauses(i);
  }
  return Clean(text);
}

std::string ResponseText(const v1::CreateDeploymentResponse& response) {
  if (response.deployment().empty()) {
    return "nothing was created: " + DecisionText(response.refused()) + "\n";
  }
  std::string text = "deployment  " + Clean(response.deployment()) + "\n";
  for (const v1::HolderOutlook& holder : response.holders()) {
    text += "holder      " + Clean(holder.agency()) +
            (IsPermit(holder) ? " would answer: " : " would be refused: ") +
            DecisionText(holder.decision()) + "\n";
  }
  return text;
}

Result<ExitCode> Create(const Options& options, const Session& session) {
  v1::CreateDeploymentRequest request;
  COMITY_ASSIGN_OR_RETURN(*request.mutable_definition(),
                          DefinitionOf(options, session.clock.Now()));
  COMITY_ASSIGN_OR_RETURN(const OwnGateway gateway, OwnGateway::Open(session));
  COMITY_ASSIGN_OR_RETURN(const v1::CreateDeploymentResponse response,
                          gateway.Call<v1::Deployments>(&v1::Deployments::Stub::Create, request));
  if (session.json) {
    PrintJson(ResponseJson(response));
  } else {
    Print(ResponseText(response));
  }
  const bool is_useful =
      !response.deployment().empty() &&
      std::any_of(response.holders().begin(), response.holders().end(), IsPermit);
  return is_useful ? ExitCode::kOk : ExitCode::kNo;
}

}  // namespace

void AddDeploymentCreate(CommandLine& line, Session& session) {
  const auto options = std::make_shared<Options>();
  line.Add(
          {"deployment create", "begin a live operation",
           "Creates a deployment: a live operation bounded in why, who, where and when, inside "
           "which\n"
           "one engine may stream. Prints its id and, per holder, how a face would be decided "
           "now;\n"
           "each face is decided again.",
           "nothing was created, or every holder would refuse: code, agreement and clauses say why",
           "comity deployment create --agreement northshire-eastvale-2026 \\\n"
           "    --purpose court-order-arrest --category wanted-by-courts \\\n"
           "    --engine-profile facenet/20180402/128 --engine bridge-cameras --threshold 0.7 \\\n"
           "    --place 'Old Bridge' --reason 'market day' --case-ref EV-2026-17 --hours 4 \\\n"
           "    --mode direct"},
          Asks::kGateway, [options, &session] { return Create(*options, session); })
      .Add({"--agreement", "ID", "agreement id", true}, options->agreement)
      .Add({"--purpose", "CODE", "purpose code of the agreement", true}, options->purpose)
      .Add({"--category", "CATEGORY", "list category, e.g. wanted-by-courts; repeatable, up to 16",
            true},
           options->categories)
      .Add({"--engine-profile", "NAME/VERSION/DIM", "which templates are compared", true},
           options->profile)
      .Add({"--engine", "NAME", "engine that may stream: the name in its certificate", true},
           options->engine)
      .Add({"--threshold", "T", "cosine, -1 to 1, at or above the agreement's floor", true},
           DecimalTarget{options->threshold, -1, 1})
      .Add({"--place", "TEXT", "where, up to 256 octets", true}, options->place)
      .Add({"--reason", "TEXT", "why, up to 1000 octets", true}, options->reason)
      .Add({"--case-ref", "TEXT", "case reference, up to 64 octets; leaves as a commitment only",
            true},
           options->case_ref)
      .Add({"--starts", "INSTANT", "RFC 3339; default: now", false}, options->starts)
      .Add({"--ends", "INSTANT", "RFC 3339; at most 24 h after the start", false}, options->ends)
      .Add({"--hours", "N", "instead of --ends: how long, 1 to 24 h", false},
           CountTarget{options->hours, 1, kMaxHours})
      .Add({"--mode", "MODE", "direct or sealed, as the agreement says", true}, options->mode);
}

}  // namespace comity::cli
