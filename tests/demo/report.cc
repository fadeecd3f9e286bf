// SPDX-License-Identifier: Apache-2.0
#include "tests/demo/report.h"

#include <algorithm>

namespace comity::demo {
namespace {

using Json = nlohmann::ordered_json;

double Ratio(std::uint64_t part, std::uint64_t whole) {
  return whole == 0 ? 0.0 : static_cast<double>(part) / static_cast<double>(whole);
}

Json OrNull(const std::optional<std::string>& text) {
  return text ? Json(*text) : Json(nullptr);
}

Json ToJson(const Refusal& refusal) {
  return {{"case", refusal.name},
          {"by", refusal.by},
          {"code", refusal.code},
          {"agreement", OrNull(refusal.agreement)},
          {"clause", OrNull(refusal.clause)},
          {"requester", refusal.requester}};
}

Json ToJson(const AuditResult& audit) {
  return {{"agency", audit.agency},
          {"entries", audit.entries},
          {"verified", audit.verified},
          {"tampering_found", audit.tampering_found},
          {"export", audit.export_folder}};
}

}  // namespace

double Report::tpir() const {
  return Ratio(mated_found, mated);
}
double Report::fpir() const {
  return Ratio(non_mated_alerted, faces - mated);
}

double Report::latency_ms(double quantile) const {
  if (latencies_ms.empty()) return 0;
  std::vector<double> sorted = latencies_ms;
  const auto rank = static_cast<std::size_t>(quantile * static_cast<double>(sorted.size() - 1));
  std::nth_element(sorted.begin(), sorted.begin() + static_cast<std::ptrdiff_t>(rank),
                   sorted.end());
  return sorted[rank];
}

double Report::comparisons_per_second() const {
  return seconds > 0 ? static_cast<double>(faces) * static_cast<double>(entries) / seconds : 0;
}

nlohmann::ordered_json Report::ToJson() const {
  Json refusals = Json::array();
  for (const Refusal& refusal : refused) refusals.push_back(demo::ToJson(refusal));
  Json logs = Json::array();
  for (const AuditResult& log : audit) logs.push_back(demo::ToJson(log));
  Json answers = Json::array();
  for (const FanoutAnswer& answer : fanout) {
    answers.push_back({{"holder", answer.holder}, {"status", answer.status}, {"ms", answer.ms}});
  }
  return {{"mode", mode},
          {"store", store},
          {"threshold", threshold},
          {"entries", entries},
          {"dimension", dimension},
          {"faces", faces},
          {"mated", mated},
          {"alerts", alerts},
          {"true_alerts", true_alerts},
          {"false_alerts", alerts - true_alerts},
          {"hits", hits},
          {"asked_again", asked_again},
          {"unanswered", unanswered},
          {"tpir", tpir()},
          {"fpir", fpir()},
          {"latency_ms", {{"p50", latency_ms(0.5)}, {"p99", latency_ms(0.99)}}},
          {"comparisons_per_second", comparisons_per_second()},
          {"refused", refusals},
          {"audit", logs},
          {"agencies", agencies},
          {"approvals", approvals},
          {"withdrawal_ms", withdrawal_ms},
          {"fanout", answers}};
}

}  // namespace comity::demo
