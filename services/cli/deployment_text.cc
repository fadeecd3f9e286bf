// SPDX-License-Identifier: Apache-2.0
#include "services/cli/deployment_text.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "services/cli/output.h"
#include "services/cli/wire_text.h"

namespace comity::cli {
namespace {

using Json = nlohmann::ordered_json;

std::string ModeText(v1::SearchMode mode) {
  if (mode == v1::SEARCH_MODE_DIRECT) return "direct";
  return mode == v1::SEARCH_MODE_SEALED ? "sealed" : "";
}

template <typename Texts>
std::string Listed(const Texts& texts) {
  std::string text;
  for (const std::string& one : texts) text += (text.empty() ? "" : ", ") + one;
  return text;
}

Json HolderJson(const v1::DeploymentHolder& holder) {
  return {{"agency", holder.agency()},
          {"state", holder.state()},
          {"reason", holder.reason()},
          {"validated_at", TimeText(holder.validated_at())},
          {"entries", holder.entries()},
          {"alerts", holder.alerts()},
          {"false_alerts", holder.false_alerts()},
          {"budget_share", holder.budget_share()}};
}

std::string Line(std::string_view name, const std::string& value) {
  if (value.empty()) return {};
  return fmt::format("{:<15}{}\n", name, Clean(value));
}

std::string HolderLine(const v1::DeploymentHolder& holder) {
  std::string text = holder.agency() + " " + holder.state();
  if (!holder.reason().empty()) text += " (" + holder.reason() + ")";
  text += fmt::format(", {} entries, {} alerts, {} false, {:.0f} % of the budget", holder.entries(),
                      holder.alerts(), holder.false_alerts(), 100 * holder.budget_share());
  return Line("holder", text);
}

}  // namespace

Json SummaryJson(const v1::DeploymentSummary& summary) {
  const v1::DeploymentDefinition& definition = summary.definition();
  Json json = {{"deployment", summary.deployment()},
               {"state", summary.state()},
               {"agreements", definition.agreements()},
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
               {"expected_faces", definition.expected_faces()},
               {"false_match_rate", definition.false_match_rate()},
               {"test_report", definition.test_report()},
               {"faces_per_false_alert", definition.faces_per_false_alert()},
               {"created_at", TimeText(summary.created_at())},
               {"proposed_by", summary.proposed_by()},
               {"approved_by", summary.approved_by()},
               {"faces", summary.faces()},
               {"alerts", summary.alerts()},
               {"false_alerts", summary.false_alerts()},
               {"ended_at", TimeText(summary.ended_at())},
               {"deletion_due_at", TimeText(summary.deletion_due_at())},
               {"closed_at", TimeText(summary.closed_at())},
               {"halted", summary.halted()},
               {"holders", Json::array()}};
  if (definition.has_offence()) {
    json["offence"] = {{"code", definition.offence().code()},
                       {"max_penalty_years", definition.offence().max_penalty_years()}};
  }
  for (const auto& holder : summary.holders()) json["holders"].push_back(HolderJson(holder));
  return json;
}

std::string SummaryText(const v1::DeploymentSummary& summary) {
  const v1::DeploymentDefinition& definition = summary.definition();
  std::string text = Line("deployment", summary.deployment());
  text += Line("state", summary.state());
  text += Line("halted by", summary.halted());
  text += Line("why", definition.reason() + " (case " + definition.case_ref() + ")");
  if (definition.has_offence()) {
    text += Line("offence", fmt::format("{}, up to {} years", definition.offence().code(),
                                        definition.offence().max_penalty_years()));
  }
  text += Line("who", Listed(definition.list_categories()) + ", purpose " + definition.purpose() +
                          " under " + Listed(definition.agreements()));
  text += Line("where", definition.place());
  text += Line("when", TimeText(definition.starts_at()) + " to " + TimeText(definition.ends_at()));
  text += Line("engine", definition.engine_name() + " (" + EngineText(definition.engine()) +
                             fmt::format("), threshold {}", definition.threshold()));
  text += Line("proposed by", summary.proposed_by());
  text += Line("approved by", summary.approved_by() + ", " + TimeText(summary.created_at()));
  text +=
      Line("counts", fmt::format("{} faces of {} expected, {} alerts, {} false (budget 1 in {})",
                                 summary.faces(), definition.expected_faces(), summary.alerts(),
                                 summary.false_alerts(), definition.faces_per_false_alert()));
  for (const v1::DeploymentHolder& holder : summary.holders()) text += HolderLine(holder);
  text += Line("ended", TimeText(summary.ended_at()));
  text += Line("deletion due", TimeText(summary.deletion_due_at()));
  return text + Line("closed", TimeText(summary.closed_at()));
}

std::string DecisionText(const v1::Decision& decision) {
  std::string text = DecisionCodeText(decision.code());
  if (decision.has_agreement()) text += ", agreement " + AgreementText(decision.agreement());
  for (int i = 0; i < decision.clauses_size(); ++i) {
    text += (i == 0 ? ", clauses " : " ") + decision.clauses(i);
  }
  return Clean(text);
}

Json OutlookJson(const v1::HolderOutlook& holder) {
  Json json = {{"agency", holder.agency()}};
  json.update(ToJson(holder.decision()));
  json["reached"] = holder.reached();
  json["entries"] = holder.entries();
  json["categories"] = Json::object();
  for (const auto& offered : holder.categories()) {
    json["categories"][offered.category()] = offered.entries();
  }
  json["predicted_false_alerts"] = holder.predicted_false_alerts();
  return json;
}

std::string OutlookText(const v1::HolderOutlook& holder) {
  const bool permits = holder.decision().code() == v1::DECISION_CODE_PERMIT;
  std::string text = holder.agency() + (permits ? " would answer: " : " would be refused: ") +
                     DecisionText(holder.decision());
  text += holder.reached() ? fmt::format("; {} entries, {:.3g} false alerts predicted",
                                         holder.entries(), holder.predicted_false_alerts())
                           : "; not reached, sizes unknown";
  return Line("holder", text);
}

}  // namespace comity::cli
