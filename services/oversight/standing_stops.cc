// SPDX-License-Identifier: Apache-2.0
#include "services/oversight/standing_stops.h"

#include <array>

namespace comity::oversight {
namespace {

constexpr std::array<std::pair<StopScope, std::string_view>, 4> kNames{{
    {StopScope::kDeployment, "deployment"},
    {StopScope::kWatchlist, "watchlist"},
    {StopScope::kPartner, "partner"},
    {StopScope::kAgreement, "agreement"},
}};

}  // namespace

std::string_view Name(StopScope scope) {
  for (const auto& [value, name] : kNames) {
    if (value == scope) return name;
  }
  return "unknown";
}

Result<StopScope> ParseStopScope(std::string_view text) {
  for (const auto& [value, name] : kNames) {
    if (name == text) return value;
  }
  return Fail(ErrorCode::kInvalidArgument,
              "a stop's scope is deployment, watchlist, partner or agreement");
}

StandingStops::StandingStops(const std::vector<Stop>& standing) {
  for (const Stop& stop : standing) {
    by_reference_.try_emplace(Key(stop.scope, stop.reference), stop.id);
  }
}

StandingStops StandingStops::Unreadable() {
  StandingStops stops;
  stops.unreadable_ = true;
  return stops;
}

std::optional<std::string> StandingStops::Find(StopScope scope, std::string_view reference) const {
  if (unreadable_) return "unreadable";
  if (by_reference_.empty()) return std::nullopt;
  const auto found = by_reference_.find(Key(scope, reference));
  if (found == by_reference_.end()) return std::nullopt;
  return found->second;
}

bool StandingStops::Cover(std::string_view partner, std::string_view agreement,
                          std::string_view deployment) const {
  if (unreadable_) return true;
  if (by_reference_.empty()) return false;
  return Find(StopScope::kPartner, partner) || Find(StopScope::kAgreement, agreement) ||
         (!deployment.empty() && Find(StopScope::kDeployment, deployment));
}

std::set<std::string> StandingStops::References(StopScope scope) const {
  std::set<std::string> references;
  for (const auto& [key, id] : by_reference_) {
    if (key.first == scope) references.insert(key.second);
  }
  return references;
}

}  // namespace comity::oversight
