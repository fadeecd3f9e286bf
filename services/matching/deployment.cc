// SPDX-License-Identifier: Apache-2.0
#include "services/matching/deployment.h"

#include <nlohmann/json.hpp>

#include "crypto/base/canonical_json.h"
#include "services/matching/search_bounds.h"
#include "services/matching/search_events.h"

namespace comity::matching {
namespace {

using nlohmann::json;

constexpr std::size_t kMaxEncoded = 24 * 1024;  // 32 agreements and 1,000 octets, each escaped
constexpr std::size_t kMaxPlace = 256;
constexpr std::size_t kMaxReason = 1000;
constexpr std::size_t kMaxTestReport = 256;

Status CheckTime(const Deployment& deployment, policy::Instant now) {
  if (deployment.ends_at <= deployment.starts_at) {
    return Wrong("ends_at", "must be after starts_at");
  }
  if (deployment.ends_at - deployment.starts_at > Deployment::kMaxLength) {
    return Wrong("ends_at", "must be at most 24 hours after starts_at");
  }
  if (deployment.ends_at <= now) return Wrong("ends_at", "is past already");
  return {};
}

std::string Text(const json& object, const char* name) {
  return object.at(name).get<std::string>();
}

template <typename T>
Status ReadId(const json& value, T& id) {
  COMITY_ASSIGN_OR_RETURN(id, T::Parse(value.get<std::string>()));
  return {};
}

// May throw json::exception, which ParseDeployment turns into an Error.
Result<Deployment> FromJson(const json& object) {
  Deployment deployment;
  for (const json& agreement : object.at("agreements")) {
    COMITY_RETURN_IF_ERROR(ReadId(agreement, deployment.agreements.emplace_back()));
  }
  COMITY_RETURN_IF_ERROR(ReadId(object.at("purpose"), deployment.purpose));
  for (const json& category : object.at("list_categories")) {
    COMITY_RETURN_IF_ERROR(ReadId(category, deployment.list_categories.emplace_back()));
  }
  const json& engine = object.at("engine");
  deployment.engine = {.name = Text(engine, "name"),
                       .version = Text(engine, "version"),
                       .dimension = engine.at("dimension").get<std::uint32_t>()};
  deployment.engine_name = Text(object, "engine_name");
  COMITY_ASSIGN_OR_RETURN(deployment.threshold, ParseDecimal(Text(object, "threshold")));
  deployment.place = Text(object, "place");
  deployment.reason = Text(object, "reason");
  deployment.case_ref = Text(object, "case_ref");
  if (const auto offence = object.find("offence"); offence != object.end()) {
    deployment.offence =
        Offence{Text(*offence, "code"), offence->at("max_penalty_years").get<std::uint32_t>()};
  }
  COMITY_ASSIGN_OR_RETURN(deployment.starts_at, policy::ParseInstant(Text(object, "starts_at")));
  COMITY_ASSIGN_OR_RETURN(deployment.ends_at, policy::ParseInstant(Text(object, "ends_at")));
  if (Text(object, "mode") != kAnyMode) {
    COMITY_ASSIGN_OR_RETURN(deployment.mode, policy::ParseSearchMode(Text(object, "mode")));
  }
  // Not get(), which makes a large number of a negative one.
  deployment.expected_faces = object.at("expected_faces").get_ref<const json::number_unsigned_t&>();
  COMITY_ASSIGN_OR_RETURN(deployment.false_match_rate,
                          ParseDecimal(Text(object, "false_match_rate")));
  deployment.test_report = Text(object, "test_report");
  deployment.faces_per_false_alert = object.at("faces_per_false_alert").get<std::uint32_t>();
  return deployment;
}

Status CheckForecast(const Deployment& deployment) {
  if (deployment.expected_faces < 1 || deployment.expected_faces > Deployment::kMaxExpectedFaces) {
    return Wrong("expected_faces", "must be 1 to 100,000,000");
  }
  if (!(deployment.false_match_rate > 0 && deployment.false_match_rate < 1)) {
    return Wrong("false_match_rate", "must be above 0 and below 1");
  }
  COMITY_RETURN_IF_ERROR(CheckText("test_report", deployment.test_report, kMaxTestReport));
  if (deployment.faces_per_false_alert < Deployment::kLeastFacesPerFalseAlert ||
      deployment.faces_per_false_alert > Deployment::kMostFacesPerFalseAlert) {
    return Wrong("faces_per_false_alert", "must be 100 to 1,000,000");
  }
  return {};
}

Status CheckFields(const Deployment& deployment) {
  if (deployment.agreements.empty()) return Wrong("agreements", "must name 1 to 32");
  COMITY_RETURN_IF_ERROR(CheckAgreements(deployment.agreements));
  if (deployment.purpose.empty()) return Wrong("purpose", "is missing");
  COMITY_RETURN_IF_ERROR(CheckCategories(deployment.list_categories));
  COMITY_RETURN_IF_ERROR(CheckEngineProfile(deployment.engine));
  if (!policy::IsWellFormedId(deployment.engine_name)) {
    return Wrong("engine_name",
                 "must be the <name> of the engine's certificate: 1 to 64 "
                 "characters a-z, 0-9 and '-'");
  }
  COMITY_RETURN_IF_ERROR(CheckThreshold(deployment.threshold));
  COMITY_RETURN_IF_ERROR(CheckText("place", deployment.place, kMaxPlace));
  COMITY_RETURN_IF_ERROR(CheckText("reason", deployment.reason, kMaxReason));
  COMITY_RETURN_IF_ERROR(CheckText("case_ref", deployment.case_ref, kMaxCaseRef));
  if (deployment.offence) COMITY_RETURN_IF_ERROR(CheckOffence(*deployment.offence));
  return CheckForecast(deployment);
}

}  // namespace

std::string_view Name(DeploymentPhase phase) {
  switch (phase) {
    case DeploymentPhase::kPlanned:
      return "planned";
    case DeploymentPhase::kActive:
      return "active";
    case DeploymentPhase::kOver:
      return "over";
    case DeploymentPhase::kStopped:
      return "stopped";
    case DeploymentPhase::kClosed:
      return "closed";
  }
  return "stopped";
}

Status CheckDeployment(const Deployment& deployment, policy::Instant now) {
  Status checked = CheckFields(deployment);
  if (checked) checked = CheckTime(deployment, now);
  if (checked) return {};
  return Fail(checked.error().code, "deployment: " + checked.error().detail);
}

std::string EncodeDeployment(const Deployment& deployment) {
  json categories = json::array();
  for (const auto& category : deployment.list_categories) categories.push_back(category.text());
  json agreements = json::array();
  for (const auto& agreement : deployment.agreements) agreements.push_back(agreement.text());
  json value = {{"agreements", std::move(agreements)},
                {"purpose", deployment.purpose.text()},
                {"list_categories", std::move(categories)},
                {"engine",
                 {{"name", deployment.engine.name},
                  {"version", deployment.engine.version},
                  {"dimension", deployment.engine.dimension}}},
                {"engine_name", deployment.engine_name},
                {"threshold", EncodeDecimal(deployment.threshold)},
                {"place", deployment.place},
                {"reason", deployment.reason},
                {"case_ref", deployment.case_ref},
                {"starts_at", policy::EncodeInstant(deployment.starts_at)},
                {"ends_at", policy::EncodeInstant(deployment.ends_at)},
                {"expected_faces", deployment.expected_faces},
                {"false_match_rate", EncodeDecimal(deployment.false_match_rate)},
                {"test_report", deployment.test_report},
                {"faces_per_false_alert", deployment.faces_per_false_alert}};
  value["mode"] = deployment.mode ? policy::Name(*deployment.mode) : kAnyMode;
  if (deployment.offence) {
    value["offence"] = {{"code", deployment.offence->code},
                        {"max_penalty_years", deployment.offence->max_penalty_years}};
  }
  return EncodeCanonicalJson(value);
}

Result<Deployment> ParseDeployment(std::string_view text) {
  const auto corrupt = [] {
    return Fail(ErrorCode::kCorrupt, "a stored deployment is not in its canonical form");
  };
  const Result<json> object = ParseCanonicalJson(text, kMaxEncoded);
  if (!object) return corrupt();
  try {
    Result<Deployment> deployment = FromJson(*object);
    if (!deployment || EncodeDeployment(*deployment) != text) return corrupt();
    return deployment;
  } catch (const json::exception&) {
    return corrupt();
  }
}

}  // namespace comity::matching
