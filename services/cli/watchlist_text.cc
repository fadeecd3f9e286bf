// SPDX-License-Identifier: Apache-2.0
#include "services/cli/watchlist_text.h"

#include <array>
#include <cstdio>
#include <map>
#include <nlohmann/json.hpp>

#include "services/cli/output.h"
#include "services/cli/wire_text.h"

namespace comity::cli {
namespace {

using Json = nlohmann::ordered_json;

// A protobuf map has no order; people and scripts get one.
std::map<std::string, std::uint64_t> CategoriesOf(const v1::WatchlistSummary& summary) {
  return {summary.active_by_category().begin(), summary.active_by_category().end()};
}

std::string Digits(double value) {
  std::array<char, 32> text{};
  (void)std::snprintf(text.data(), text.size(), "%.3g", value);
  return text.data();
}

std::string AgreementsText(const v1::WatchlistSummary& summary) {
  std::string text;
  for (const std::string& agreement : summary.agreements()) {
    text += (text.empty() ? "" : ", ") + agreement;
  }
  return text.empty() ? "none: own use only" : text;
}

void PrintIssues(const google::protobuf::RepeatedPtrField<v1::ImportIssue>& issues,
                 const std::string& place, const std::string& kind) {
  for (const v1::ImportIssue& issue : issues) {
    PrintError(place + ":" + std::to_string(issue.line()) + ": " + kind + Clean(issue.message()));
  }
}

Json IssuesJson(const google::protobuf::RepeatedPtrField<v1::ImportIssue>& issues) {
  Json json = Json::array();
  for (const v1::ImportIssue& issue : issues) {
    json.push_back({{"line", issue.line()}, {"message", issue.message()}});
  }
  return json;
}

}  // namespace

std::string CategoriesText(const v1::WatchlistSummary& summary) {
  std::string text;
  for (const auto& [category, count] : CategoriesOf(summary)) {
    text += (text.empty() ? "" : ", ") + Clean(category) + " " + std::to_string(count);
  }
  return text;
}

Json SummaryJson(const v1::WatchlistSummary& summary) {
  Json agreements = Json::array();
  for (const std::string& agreement : summary.agreements()) agreements.push_back(agreement);
  return {{"watchlist", summary.watchlist()},
          {"state", summary.state()},
          {"searchable", summary.searchable()},
          {"engine", ToJson(summary.engine())},
          {"threshold", summary.threshold()},
          {"purpose", summary.purpose()},
          {"agreements", std::move(agreements)},
          {"starts_at", TimeText(summary.starts_at())},
          {"ends_at", TimeText(summary.ends_at())},
          {"drafted_at", TimeText(summary.drafted_at())},
          {"approved_at", TimeText(summary.approved_at())},
          {"approved_by", summary.approved_by()},
          {"closed_at", TimeText(summary.closed_at())},
          {"delete_by", TimeText(summary.delete_by())},
          {"deleted_at", TimeText(summary.deleted_at())},
          {"entries", summary.entries()},
          {"active", summary.active()},
          {"withdrawn", summary.withdrawn()},
          {"expired", summary.expired()},
          {"not_yet_valid", summary.not_yet_valid()},
          {"stale", summary.stale()},
          {"restricted", summary.restricted()},
          {"contested", summary.contested()},
          {"awaiting_approval", summary.awaiting_approval()},
          {"under_18", summary.under_18()},
          {"active_by_category", CategoriesOf(summary)},
          {"size_cap", summary.size_cap()},
          {"expected_faces", summary.expected_faces()},
          {"predicted_fpir", summary.predicted_fpir()},
          {"predicted_false_alerts", summary.predicted_false_alerts()},
          {"false_alert_budget", summary.false_alert_budget()}};
}

std::string SummaryText(const v1::WatchlistSummary& summary) {
  const auto line = [](const std::string& name, const std::string& value) {
    return name + std::string(16 - std::min<std::size_t>(name.size(), 15), ' ') + Clean(value) +
           "\n";
  };
  const auto count = [](std::uint64_t number, const char* what) {
    return std::to_string(number) + " " + what;
  };
  std::string text = line("watchlist", summary.watchlist());
  text += line("state", summary.state() + (summary.searchable() ? ", searchable now" : ""));
  text += line("purpose", summary.purpose());
  text += line("agreements", AgreementsText(summary));
  text += line("time", TimeText(summary.starts_at()) + " to " + TimeText(summary.ends_at()));
  text += line("engine", EngineText(summary.engine()) + " at " + Digits(summary.threshold()));
  if (summary.has_approved_at()) {
    text += line("approved", TimeText(summary.approved_at()) + " by " + summary.approved_by());
  }
  if (summary.has_closed_at()) {
    text += line("closed", TimeText(summary.closed_at()) + ", faces deleted " +
                               (summary.has_deleted_at() ? TimeText(summary.deleted_at())
                                                         : "by " + TimeText(summary.delete_by())));
  }
  text += line(
      "entries",
      count(summary.entries(), "in all; ") + count(summary.active(), "active, ") +
          count(summary.not_yet_valid(), "not yet valid, ") + count(summary.stale(), "stale, ") +
          count(summary.awaiting_approval(), "awaiting approval, ") +
          count(summary.restricted(), "restricted (") + count(summary.contested(), "contested), ") +
          count(summary.withdrawn(), "withdrawn, ") + count(summary.expired(), "expired"));
  text += line("under 18", std::to_string(summary.under_18()));
  text += line("active", CategoriesText(summary));
  text += line("false alerts", Digits(summary.predicted_false_alerts()) + " predicted among " +
                                   std::to_string(summary.expected_faces()) +
                                   " faces (each: " + Digits(summary.predicted_fpir() * 100) +
                                   " %), budget " + std::to_string(summary.false_alert_budget()));
  return text;
}

ExitCode ReportAdded(const v1::AddEntriesResponse& response, const std::string& list,
                     const std::string& place, bool json) {
  const bool is_good = response.fault_count() == 0 && response.faults().empty();
  if (json) {
    PrintJson(Json{{"watchlist", list},
                   {"entries", response.entries()},
                   {"fault_count", response.fault_count()},
                   {"faults", IssuesJson(response.faults())},
                   {"warnings", IssuesJson(response.warnings())}});
  } else {
    PrintIssues(response.faults(), place, "");
    PrintIssues(response.warnings(), place, "warning: ");
    Print(is_good ? list + ": " + std::to_string(response.entries()) + " entries added\n"
                  : list + ": nothing was added; " + std::to_string(response.fault_count()) +
                        " faults\n");
  }
  return is_good ? ExitCode::kOk : ExitCode::kNo;
}

}  // namespace comity::cli
