// SPDX-License-Identifier: Apache-2.0
#include "services/matching/false_alert_budget.h"

#include <cmath>

namespace comity::matching {
namespace {

// Two false alerts are the fewest that make a rate.
constexpr std::uint64_t kLeastFalseAlerts = 2;

// Whether `count` in `of` is at or above 1 in `budget`, without overflow.
bool Reaches(std::uint64_t count, std::uint64_t of, std::uint64_t budget) {
  return count > 0 && count >= of / budget + (of % budget == 0 ? 0 : 1);
}

}  // namespace

double FalsePositiveRate(double false_match_rate, std::uint64_t entries) {
  // By logarithms, since (1 - FMR) rounds to 1 for the small rates that matter.
  return -std::expm1(static_cast<double>(entries) * std::log1p(-false_match_rate));
}

BudgetUse UseOfBudget(std::uint64_t false_alerts, std::uint64_t faces,
                      std::uint32_t faces_per_false_alert) {
  if (false_alerts >= kLeastFalseAlerts && Reaches(false_alerts, faces, faces_per_false_alert)) {
    return BudgetUse::kUsedUp;
  }
  const std::uint64_t twice = std::uint64_t{2} * faces_per_false_alert;
  return Reaches(false_alerts, faces, twice) ? BudgetUse::kHalf : BudgetUse::kKept;
}

double BudgetShare(std::uint64_t entries, std::uint64_t entries_of_all) {
  if (entries_of_all == 0) return 0;
  return static_cast<double>(entries) / static_cast<double>(entries_of_all);
}

}  // namespace comity::matching
