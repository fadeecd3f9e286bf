// SPDX-License-Identifier: Apache-2.0
#include "services/cli/search_text.h"

#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "services/cli/output.h"
#include "services/cli/wire_text.h"

namespace comity::cli {
namespace {

using Json = nlohmann::ordered_json;

std::string StatusText(const v1::HolderResult& result) {
  if (result.has_answered()) return "answered";
  return result.has_refused() ? "refused" : "unanswered";
}

std::string DetailText(const v1::HolderResult& result) {
  if (result.has_unanswered()) return ReasonText(result.unanswered().reason());
  std::string text;
  if (result.has_refused()) {
    text = DecisionCodeText(result.refused().code()) + ", by " + result.refused_by();
    for (const std::string& clause : result.refused().clauses()) text += " " + clause;
    return text;
  }
  for (const v1::AlertRef& alert : result.answered().alerts()) {
    text += (text.empty() ? "" : " ") + alert.alert();
  }
  return text;
}

Json TextOrNull(const std::string& text) {
  return text.empty() ? Json(nullptr) : Json(text);
}

Json AnsweredJson(const v1::Answered& answered) {
  Json json = {{"hits", Json::array()},
               {"entries", answered.entries()},
               {"mode", ModeName(answered.mode())}};
  for (const v1::AlertRef& alert : answered.alerts()) {
    const v1::Hit& hit = alert.hit();
    json["hits"].push_back(
        {{"alert", alert.alert()},
         {"reference", TextOrNull(hit.reference())},
         {"category", TextOrNull(hit.category())},
         {"response_code", TextOrNull(hit.response_code())},
         {"similarity", hit.has_similarity() ? Json(hit.similarity()) : Json(nullptr)}});
  }
  return json;
}

Json ResultJson(const v1::HolderResult& result) {
  Json json = {{"holder", result.holder()},
               {"status", StatusText(result)},
               {"exchange_id", result.exchange_id()},
               {"ms", result.ms()}};
  if (result.has_answered()) json.update(AnsweredJson(result.answered()));
  if (result.has_refused()) {
    json["refused_by"] = result.refused_by();
    json["decision"] = ToJson(result.refused());
  }
  if (result.has_unanswered()) json["reason"] = ReasonText(result.unanswered().reason());
  return json;
}

std::string NumberText(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%g", value);
  return text;
}

}  // namespace

std::string ModeName(v1::SearchMode mode) {
  if (mode == v1::SEARCH_MODE_DIRECT) return "direct";
  return mode == v1::SEARCH_MODE_SEALED ? "sealed" : "";
}

std::string ReasonText(v1::Unanswered::Reason reason) {
  constexpr std::string_view kPrefix = "REASON_";
  if (!v1::Unanswered::Reason_IsValid(reason)) return "unknown";
  std::string text = v1::Unanswered::Reason_Name(reason).substr(kPrefix.size());
  std::ranges::transform(text, text.begin(), [](char c) {
    return c == '_' ? '-' : static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
  });
  return text;
}

std::string IdentifyText(const v1::IdentifyResponse& response) {
  std::string text = "search " + Clean(response.search()) + "\n";
  if (response.has_refused()) {
    return text + "refused: " + DecisionCodeText(response.refused().code()) +
           "; no agreement lets this agency search any partner\n";
  }
  Table table({"HOLDER", "RESULT", "HITS", "ENTRIES", "MODE", "MS", "DETAIL"});
  for (const v1::HolderResult& result : response.holders()) {
    const bool answered = result.has_answered();
    table.Add({result.holder(), StatusText(result),
               answered ? std::to_string(result.answered().alerts_size()) : "",
               answered ? std::to_string(result.answered().entries()) : "",
               ModeName(result.answered().mode()), std::to_string(result.ms()),
               DetailText(result)});
  }
  return text + table.Text() + "A hit is a lead, not an identification: see `comity alert list`.\n";
}

Json IdentifyJson(const v1::IdentifyResponse& response) {
  Json json = {{"search", response.search()}, {"ms", response.ms()}, {"holders", Json::array()}};
  for (const v1::HolderResult& result : response.holders()) {
    json["holders"].push_back(ResultJson(result));
  }
  json["refused"] = response.has_refused() ? ToJson(response.refused()) : Json(nullptr);
  return json;
}

std::string OffersText(const v1::OffersResponse& response) {
  Table table({"HOLDER", "AGREEMENT", "CLAUSE", "PURPOSE", "CATEGORY", "ENTRIES", "ENGINE", "FLOOR",
               "MODE", "LEFT TODAY"});
  std::string problems;
  for (const v1::HolderOffers& holder : response.holders()) {
    if (!holder.reached()) {
      problems += Clean(holder.holder()) + ": no answer: " + Clean(holder.problem()) + "\n";
    } else if (holder.offers().empty()) {
      problems += Clean(holder.holder()) + ": offers nothing now\n";
    }
    for (const v1::Offer& offer : holder.offers()) {
      for (const v1::OfferedCategory& category : offer.categories()) {
        table.Add({holder.holder(), AgreementText(offer.agreement()), offer.clause(),
                   offer.purpose(), category.category(), std::to_string(category.entries()),
                   EngineText(offer.engine()), NumberText(offer.threshold_floor()),
                   ModeName(offer.mode()), std::to_string(offer.probes_left())});
      }
    }
    if (holder.more()) problems += Clean(holder.holder()) + ": offers more than is shown\n";
  }
  if (table.empty() && problems.empty()) return "no partners\n";
  return (table.empty() ? "" : table.Text()) + problems;
}

Json OffersJson(const v1::OffersResponse& response) {
  Json json = Json::array();
  for (const v1::HolderOffers& holder : response.holders()) {
    Json one = {{"holder", holder.holder()},
                {"reached", holder.reached()},
                {"offers", Json::array()},
                {"more", holder.more()},
                {"problem", TextOrNull(holder.problem())}};
    for (const v1::Offer& offer : holder.offers()) {
      Json categories = Json::object();
      for (const v1::OfferedCategory& category : offer.categories()) {
        categories[category.category()] = category.entries();
      }
      one["offers"].push_back({{"agreement", ToJson(offer.agreement())},
                               {"clause", offer.clause()},
                               {"purpose", offer.purpose()},
                               {"categories", categories},
                               {"engine", ToJson(offer.engine())},
                               {"threshold_floor", offer.threshold_floor()},
                               {"mode", ModeName(offer.mode())},
                               {"hit_cap", offer.hit_cap()},
                               {"probes_per_day", offer.probes_per_day()},
                               {"probes_left", offer.probes_left()}});
    }
    json.push_back(std::move(one));
  }
  return json;
}

}  // namespace comity::cli
