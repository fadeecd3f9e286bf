// SPDX-License-Identifier: Apache-2.0
#include "services/cli/deployment_propose.h"

#include <memory>
#include <nlohmann/json.hpp>

#include "comity/v1/deployments.grpc.pb.h"
#include "policy/model/instant.h"
#include "services/cli/approval_text.h"
#include "services/cli/deployment_text.h"
#include "services/cli/output.h"
#include "services/cli/own_gateway.h"
#include "services/cli/wire_text.h"

namespace comity::cli {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::uint64_t kMaxHours = 24;
constexpr std::uint64_t kMaxYears = 99;
constexpr std::uint64_t kMaxFaces = 100'000'000;
constexpr std::uint64_t kLeastBudget = 100;
constexpr std::uint64_t kMostBudget = 1'000'000;
constexpr std::uint64_t kBudget = 1000;  // SM-7

struct ProposalOptions {
  std::vector<std::string> agreements, categories;
  std::string purpose, profile, engine, place, reason, case_ref, offence, starts, ends, mode,
      report;
  std::optional<std::uint64_t> years, hours, faces, budget;
  double threshold = 0;
  double false_match_rate = 0;
};

struct ChangeOptions {
  std::string deployment, reason;
  std::optional<std::uint64_t> budget;
  double threshold = 0;
};

Status SetTimes(const ProposalOptions& options, policy::Instant now,
                v1::DeploymentDefinition& definition) {
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

Result<v1::DeploymentDefinition> DefinitionOf(const ProposalOptions& options, policy::Instant now) {
  v1::DeploymentDefinition definition;
  for (const std::string& agreement : options.agreements) definition.add_agreements(agreement);
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
  if (options.offence.empty() != !options.years.has_value()) {
    return Fail(ErrorCode::kInvalidArgument, "give --offence and --max-penalty together, or none");
  }
  if (!options.offence.empty()) {
    definition.mutable_offence()->set_code(options.offence);
    definition.mutable_offence()->set_max_penalty_years(static_cast<std::uint32_t>(*options.years));
  }
  COMITY_ASSIGN_OR_RETURN(const v1::SearchMode mode, ParseMode(options.mode));
  definition.set_mode(mode);
  definition.set_expected_faces(options.faces.value_or(0));
  definition.set_false_match_rate(options.false_match_rate);
  definition.set_test_report(options.report);
  definition.set_faces_per_false_alert(
      static_cast<std::uint32_t>(options.budget.value_or(kBudget)));
  COMITY_RETURN_IF_ERROR(SetTimes(options, now, definition));
  return definition;
}

Json ResponseJson(const v1::ProposeDeploymentResponse& response) {
  const bool proposed = !response.deployment().empty();
  Json json = {{"deployment", proposed ? Json(response.deployment()) : Json(nullptr)},
               {"holders", Json::array()}};
  for (const auto& holder : response.holders()) json["holders"].push_back(OutlookJson(holder));
  json["refused"] = response.has_refused() ? ToJson(response.refused()) : Json(nullptr);
  json["pending"] = response.has_pending() ? PendingJson(response.pending()) : Json(nullptr);
  return json;
}

Result<ExitCode> Propose(const ProposalOptions& options, const Session& session) {
  v1::ProposeDeploymentRequest request;
  COMITY_ASSIGN_OR_RETURN(*request.mutable_definition(),
                          DefinitionOf(options, session.clock.Now()));
  COMITY_ASSIGN_OR_RETURN(const OwnGateway gateway, OwnGateway::Open(session));
  COMITY_ASSIGN_OR_RETURN(const v1::ProposeDeploymentResponse response,
                          gateway.Call<v1::Deployments>(&v1::Deployments::Stub::Propose, request));
  const bool proposed = !response.deployment().empty();
  if (session.json) {
    PrintJson(ResponseJson(response));
  } else if (!proposed) {
    Print("nothing was proposed: " + DecisionText(response.refused()) + "\n");
  } else {
    Print("deployment     " + Clean(response.deployment()) + "\n");
    for (const v1::HolderOutlook& holder : response.holders()) Print(OutlookText(holder));
    ReportPending(response.pending(), false);
  }
  return proposed ? ExitCode::kOk : ExitCode::kNo;
}

Result<ExitCode> Change(const ChangeOptions& options, const Session& session) {
  v1::ChangeDeploymentRequest request;
  request.set_deployment(options.deployment);
  request.set_threshold(options.threshold);
  request.set_faces_per_false_alert(static_cast<std::uint32_t>(options.budget.value_or(0)));
  request.set_reason(options.reason);
  COMITY_ASSIGN_OR_RETURN(const OwnGateway gateway, OwnGateway::Open(session));
  COMITY_ASSIGN_OR_RETURN(const v1::PendingAct act,
                          gateway.Call<v1::Deployments>(&v1::Deployments::Stub::Change, request));
  ReportPending(act, session.json);
  return ExitCode::kOk;
}

void AddPropose(CommandLine& line, Session& session) {
  const auto options = std::make_shared<ProposalOptions>();
  line.Add({"deployment propose", "propose a live operation",
            "Proposes a deployment: a live operation bounded in why, who, where and when, inside\n"
            "which one engine may stream. It begins when another supervisor has approved it "
            "(comity\n"
            "approvals approve), at its time, once the holders have validated their lists. Prints\n"
            "its id and, per holder, how a face would be decided now and what is to be expected;\n"
            "each face is decided again.",
            "nothing was proposed: code, agreement and clauses say why",
            "comity deployment propose --agreement northshire-eastvale-2026 \\\n"
            "    --purpose court-order-arrest --category wanted-by-courts \\\n"
            "    --engine-profile facenet/20180402/128 --engine bridge-cameras --threshold 0.7 \\\n"
            "    --place 'Old Bridge' --reason 'market day' --case-ref EV-2026-17 --hours 4 \\\n"
            "    --mode direct --expected-faces 8000 --false-match-rate 0.000001 \\\n"
            "    --test-report 'engine test 2026-03'"},
           Asks::kGateway, [options, &session] { return Propose(*options, session); })
      .Add({"--agreement", "ID", "agreement id; repeatable, up to 32", true}, options->agreements)
      .Add({"--purpose", "CODE", "purpose code of the agreements", true}, options->purpose)
      .Add({"--category", "CATEGORY", "list category, e.g. wanted-by-courts; repeatable, up to 16",
            true},
           options->categories)
      .Add({"--engine-profile", "NAME/VERSION/DIM", "which templates are compared", true},
           options->profile)
      .Add({"--engine", "NAME", "engine that may stream: the name in its certificate", true},
           options->engine)
      .Add({"--threshold", "T", "cosine, above 0, at most 1, at or above every holder's floor",
            true},
           DecimalTarget{options->threshold, 0, 1})
      .Add({"--place", "TEXT", "where, up to 256 octets", true}, options->place)
      .Add({"--reason", "TEXT", "why, up to 1000 octets", true}, options->reason)
      .Add({"--case-ref", "TEXT", "case reference, up to 64 octets; leaves as a commitment only",
            true},
           options->case_ref)
      .Add({"--offence", "CODE",
            "the least grave offence behind it, up to 64 octets; the class of its penalty leaves",
            false},
           options->offence)
      .Add({"--max-penalty", "YEARS", "longest sentence for it, 0 to 99; 99: life", false},
           CountTarget{options->years, 0, kMaxYears})
      .Add({"--starts", "INSTANT", "RFC 3339; default: now", false}, options->starts)
      .Add({"--ends", "INSTANT", "RFC 3339; at most 24 h after the start", false}, options->ends)
      .Add({"--hours", "N", "instead of --ends: how long, 1 to 24 h", false},
           CountTarget{options->hours, 1, kMaxHours})
      .Add(
          {"--mode", "MODE",
           "direct, sealed, or any: what each holder's agreement says, sealed before direct", true},
          options->mode)
      .Add({"--expected-faces", "N", "how many faces will pass, 1 to 100000000", true},
           CountTarget{options->faces, 1, kMaxFaces})
      .Add({"--false-match-rate", "R",
            "of the engine at this threshold, above 0 and below 1: what its test measured", true},
           DecimalTarget{options->false_match_rate, 0, 1})
      .Add({"--test-report", "TEXT", "the report that measured it, up to 256 octets", true},
           options->report)
      .Add({"--budget", "N", "at most one false alert in N faces, 100 to 1000000; default 1000",
            false},
           CountTarget{options->budget, kLeastBudget, kMostBudget});
}

void AddChange(CommandLine& line, Session& session) {
  const auto options = std::make_shared<ChangeOptions>();
  line.Add(
          {"deployment change", "propose another threshold or false-alert budget",
           "Proposes to change a planned or active deployment; takes effect when another\n"
           "supervisor has approved it. Its streams end then, and the engine opens them again.",
           "", "comity deployment change d-... --threshold 0.68 --reason 'lighting at the bridge'"},
          Asks::kGateway, [options, &session] { return Change(*options, session); })
      .Add({"deployment", "ID", "deployment id", true}, options->deployment)
      .Add({"--threshold", "T", "cosine, 0 to 1, at or above every holder's floor", false},
           DecimalTarget{options->threshold, 0, 1})
      .Add({"--budget", "N", "at most one false alert in N faces, 100 to 1000000", false},
           CountTarget{options->budget, kLeastBudget, kMostBudget})
      .Add({"--reason", "TEXT", "why, up to 1000 octets", true}, options->reason);
}

}  // namespace

void AddDeploymentProposals(CommandLine& line, Session& session) {
  AddPropose(line, session);
  AddChange(line, session);
}

}  // namespace comity::cli
