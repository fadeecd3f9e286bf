// SPDX-License-Identifier: Apache-2.0
#include "services/matching/deployment.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "crypto/base/canonical_json.h"
#include "services/matching/search_events.h"

namespace comity::matching {
namespace {

using nlohmann::json;

constexpr std::size_t kMaxEncoded = 16 * 1024;  // 16 categories and 1,000 octets, each escaped
constexpr std::size_t kMaxProfileText = 64;
constexpr std::size_t kMaxPlace = 256;
constexpr std::size_t kMaxReason = 1000;
constexpr std::size_t kMaxCaseRef = 64;

tl::unexpected<Error> Wrong(std::string_view field, std::string_view rule) {
  return Fail(ErrorCode::kInvalidArgument,
              "deployment: " + std::string(field) + " " + std::string(rule));
}

bool IsCleanText(std::string_view text) {
  return std::none_of(text.begin(), text.end(),
                      [](unsigned char c) { return c < 0x20 || c == 0x7f; }) &&
         TryEncodeCanonicalJson(json(text)).has_value();  // false on ill-formed UTF-8
}

Status CheckText(std::string_view field, std::string_view text, std::size_t limit) {
  if (text.empty() || text.size() > limit) {
    return Wrong(field, "must have 1 to " + std::to_string(limit) + " octets");
  }
  if (!IsCleanText(text)) return Wrong(field, "must be UTF-8 without control characters");
  return {};
}

bool IsProfileText(std::string_view text) {
  return !text.empty() && text.size() <= kMaxProfileText &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= 0x20 && c < 0x7f; });
}

Status CheckEngine(const Deployment& deployment) {
  const policy::EngineProfile& engine = deployment.engine;
  if (!IsProfileText(engine.name)) {
    return Wrong("engine.name", "must have 1 to 64 printable ASCII characters");
  }
  if (!IsProfileText(engine.version)) {
    return Wrong("engine.version", "must have 1 to 64 printable ASCII characters");
  }
  if (engine.dimension < policy::EngineProfile::kMinDimension ||
      engine.dimension > policy::EngineProfile::kMaxDimension) {
    return Wrong("engine.dimension", "must be 32 to 2048");
  }
  if (!policy::IsWellFormedId(deployment.engine_name)) {
    return Wrong("engine_name",
                 "must be the <name> of the engine's certificate: 1 to 64 "
                 "characters a-z, 0-9 and '-'");
  }
  return {};
}

Status CheckCategories(const std::vector<policy::ListCategory>& categories) {
  if (categories.empty() || categories.size() > Deployment::kMaxCategories) {
    return Wrong("list_categories", "must name 1 to 16 categories");
  }
  const std::set<policy::ListCategory> distinct(categories.begin(), categories.end());
  if (distinct.size() != categories.size()) return Wrong("list_categories", "has one twice");
  for (const policy::ListCategory& category : categories) {
    if (!policy::IsListCategory(category.text())) {
      return Wrong("list_categories",
                   "has a term that is not a list category; see "
                   "docs/formats/agreement.md");
    }
  }
  return {};
}

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
  COMITY_RETURN_IF_ERROR(ReadId(object.at("agreement"), deployment.agreement));
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
  COMITY_ASSIGN_OR_RETURN(deployment.starts_at, policy::ParseInstant(Text(object, "starts_at")));
  COMITY_ASSIGN_OR_RETURN(deployment.ends_at, policy::ParseInstant(Text(object, "ends_at")));
  COMITY_ASSIGN_OR_RETURN(deployment.mode, policy::ParseSearchMode(Text(object, "mode")));
  return deployment;
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
  }
  return "stopped";
}

Status CheckDeployment(const Deployment& deployment, policy::Instant now) {
  if (deployment.agreement.empty()) return Wrong("agreement", "is missing");
  if (deployment.purpose.empty()) return Wrong("purpose", "is missing");
  COMITY_RETURN_IF_ERROR(CheckCategories(deployment.list_categories));
  COMITY_RETURN_IF_ERROR(CheckEngine(deployment));
  if (!(deployment.threshold > 0 && deployment.threshold <= 1)) {
    return Wrong("threshold", "must be above 0 and at most 1");
  }
  COMITY_RETURN_IF_ERROR(CheckText("place", deployment.place, kMaxPlace));
  COMITY_RETURN_IF_ERROR(CheckText("reason", deployment.reason, kMaxReason));
  COMITY_RETURN_IF_ERROR(CheckText("case_ref", deployment.case_ref, kMaxCaseRef));
  if (!deployment.mode) return Wrong("mode", "is missing");
  return CheckTime(deployment, now);
}

std::string EncodeDeployment(const Deployment& deployment) {
  json categories = json::array();
  for (const auto& category : deployment.list_categories) categories.push_back(category.text());
  json value = {{"agreement", deployment.agreement.text()},
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
                {"ends_at", policy::EncodeInstant(deployment.ends_at)}};
  if (deployment.mode) value["mode"] = policy::Name(*deployment.mode);
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
