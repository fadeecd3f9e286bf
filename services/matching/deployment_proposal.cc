// SPDX-License-Identifier: Apache-2.0
#include "services/matching/deployment_proposal.h"

#include <array>
#include <cmath>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "crypto/base/canonical_json.h"
#include "services/matching/false_alert_budget.h"
#include "services/matching/search_events.h"

namespace comity::matching {
namespace {

using nlohmann::json;

constexpr std::size_t kMaxContent = 128 * 1024;
constexpr std::size_t kMaxDefinition = 24 * 1024;
constexpr std::size_t kMaxHolders = 64;

json ToJson(const HolderForecast& holder) {
  json value = {{"agency", holder.agency.text()},
                {"decision", policy::Name(holder.code)},
                {"threshold_floor", EncodeDecimal(holder.threshold_floor)},
                {"reached", holder.reached},
                {"entries", holder.entries}};
  value["categories"] = json::object();
  for (const auto& [category, entries] : holder.categories) value["categories"][category] = entries;
  return value;
}

// Both may throw json::exception, which ParseProposal turns into an Error.
Result<HolderForecast> HolderFromJson(const json& object) {
  HolderForecast holder;
  COMITY_ASSIGN_OR_RETURN(holder.agency,
                          policy::AgencyId::Parse(object.at("agency").get<std::string>()));
  const auto code = policy::ParseReasonCode(object.at("decision").get<std::string>());
  if (!code) return Fail(ErrorCode::kInvalidArgument, "an unknown decision");
  holder.code = *code;
  COMITY_ASSIGN_OR_RETURN(holder.threshold_floor,
                          ParseDecimal(object.at("threshold_floor").get<std::string>()));
  holder.reached = object.at("reached").get<bool>();
  // Not get(), which makes a large number of a negative one.
  holder.entries = object.at("entries").get_ref<const json::number_unsigned_t&>();
  for (const auto& [category, entries] : object.at("categories").items()) {
    holder.categories[category] = entries.get_ref<const json::number_unsigned_t&>();
  }
  return holder;
}

Result<DeploymentProposal> FromJson(const json& object) {
  DeploymentProposal proposal;
  COMITY_ASSIGN_OR_RETURN(proposal.id,
                          policy::DeploymentId::Parse(object.at("deployment").get<std::string>()));
  COMITY_ASSIGN_OR_RETURN(proposal.definition,
                          ParseDeployment(EncodeCanonicalJson(object.at("definition"))));
  for (const json& holder : object.at("holders")) {
    COMITY_ASSIGN_OR_RETURN(proposal.holders.emplace_back(), HolderFromJson(holder));
  }
  return proposal;
}

// Three significant digits: a forecast has no more.
std::string Rounded(double value) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.3g", value);
  return text.data();
}

std::string Listed(const std::vector<std::string>& items) {
  std::string text;
  for (const std::string& item : items) text += (text.empty() ? "" : ", ") + item;
  return text;
}

template <typename Id>
std::string Listed(const std::vector<Id>& ids) {
  std::vector<std::string> items;
  for (const Id& id : ids) items.push_back(id.text());
  return Listed(items);
}

std::string DescribeHolder(const HolderForecast& holder, const DeploymentProposal& proposal) {
  std::string line = "Holder " + holder.agency.text() + ": ";
  line += holder.code == policy::ReasonCode::kPermit
              ? "would answer"
              : "would refuse (" + std::string(policy::Name(holder.code)) + ")";
  if (holder.threshold_floor > 0) {
    line += "; threshold floor " + EncodeDecimal(holder.threshold_floor);
  }
  if (!holder.reached) return line + "; it was not reached: its lists' sizes are unknown\n";
  std::vector<std::string> counts;
  for (const auto& [category, entries] : holder.categories) {
    counts.push_back(category + " " + std::to_string(entries));
  }
  line += "; " + std::to_string(holder.entries) + " entries";
  if (!counts.empty()) line += " (" + Listed(counts) + ")";
  const double share = BudgetShare(holder.entries, EntriesOf(proposal.holders));
  line += "; predicted false alerts " +
          Rounded(PredictedFalseAlerts(proposal.definition, holder.entries)) +
          "; share of the budget " + Rounded(100 * share) + " %\n";
  return line;
}

std::string DescribeForecast(const DeploymentProposal& proposal) {
  const Deployment& deployment = proposal.definition;
  const std::uint64_t entries = EntriesOf(proposal.holders);
  const double rate = FalsePositiveRate(deployment.false_match_rate, entries);
  const double budget = 1.0 / deployment.faces_per_false_alert;
  std::string text = "Expected: " + std::to_string(deployment.expected_faces) + " faces against " +
                     std::to_string(entries) + " entries in all; false match rate " +
                     EncodeDecimal(deployment.false_match_rate) + " (" + deployment.test_report +
                     ")\n";
  text += "Predicted false alerts: " + Rounded(PredictedFalseAlerts(deployment, entries));
  if (rate > 0) text += ", 1 in " + Rounded(1 / rate) + " faces";
  text += "; budget 1 in " + std::to_string(deployment.faces_per_false_alert) +
          (rate >= budget ? ": THE PREDICTION IS BEYOND THE BUDGET" : "") + "\n";
  return text;
}

}  // namespace

std::string EncodeProposal(const DeploymentProposal& proposal) {
  json holders = json::array();
  for (const HolderForecast& holder : proposal.holders) holders.push_back(ToJson(holder));
  auto definition = ParseCanonicalJson(EncodeDeployment(proposal.definition), kMaxDefinition);
  return EncodeCanonicalJson({{"deployment", proposal.id.text()},
                              {"definition", *std::move(definition)},
                              {"holders", std::move(holders)}});
}

Result<DeploymentProposal> ParseProposal(std::string_view content) {
  const auto wrong = [] {
    return Fail(ErrorCode::kInvalidArgument, "a proposed deployment is not in its canonical form");
  };
  const Result<json> object = ParseCanonicalJson(content, kMaxContent);
  if (!object) return wrong();
  try {
    Result<DeploymentProposal> proposal = FromJson(*object);
    if (!proposal || proposal->holders.size() > kMaxHolders) return wrong();
    if (EncodeProposal(*proposal) != content) return wrong();
    return proposal;
  } catch (const json::exception&) {
    return wrong();
  }
}

double PredictedFalseAlerts(const Deployment& definition, std::uint64_t entries) {
  return static_cast<double>(definition.expected_faces) *
         FalsePositiveRate(definition.false_match_rate, entries);
}

std::uint64_t EntriesOf(const std::vector<HolderForecast>& holders) {
  std::uint64_t entries = 0;
  for (const HolderForecast& holder : holders) entries += holder.entries;
  return entries;
}

std::string DescribeProposal(const DeploymentProposal& proposal) {
  const Deployment& deployment = proposal.definition;
  std::string text = "Starts the live operation " + proposal.id.text() + "\n";
  text += "Why: " + deployment.reason + " (case " + deployment.case_ref + ")\n";
  if (deployment.offence) {
    text += "Offence: " + deployment.offence->code + ", up to " +
            std::to_string(deployment.offence->max_penalty_years) + " years\n";
  }
  text += "Who: " + Listed(deployment.list_categories) + ", for purpose " +
          deployment.purpose.text() + " under " + Listed(deployment.agreements) + "\n";
  text += "Where: " + deployment.place + "\n";
  text += "When: from " + policy::EncodeInstant(deployment.starts_at) + " to " +
          policy::EncodeInstant(deployment.ends_at) + "\n";
  text += "Engine: " + deployment.engine_name + " (" + deployment.engine.name + "/" +
          deployment.engine.version + "/" + std::to_string(deployment.engine.dimension) +
          "), threshold " + EncodeDecimal(deployment.threshold) + ", mode " +
          std::string(deployment.mode ? policy::Name(*deployment.mode) : kAnyMode) + "\n";
  for (const HolderForecast& holder : proposal.holders) text += DescribeHolder(holder, proposal);
  return text + DescribeForecast(proposal) +
         "It is stopped by itself when the rate of false alerts reaches the budget.";
}

}  // namespace comity::matching
