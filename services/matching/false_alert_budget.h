// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace comity::matching {

// Chance that one face which is on no list hits one of `entries`: 1 - (1 - FMR)^N (ISO/IEC 19795-1
// FPIR for independent comparisons).
// In:     false_match_rate  in [0, 1)
double FalsePositiveRate(double false_match_rate, std::uint64_t entries);

// What has become of a deployment's false-alert budget (SM-7).
enum class BudgetUse { kKept, kHalf, kUsedUp };

// In:     faces_per_false_alert  the budget: at most one false alert in so many faces, at least 1
// kUsedUp: at or above that rate, with two false alerts or more, because one is no rate yet.
// kHalf:   at or above half of that rate.
BudgetUse UseOfBudget(std::uint64_t false_alerts, std::uint64_t faces,
                      std::uint32_t faces_per_false_alert);

// The part of the budget that falls to one holder: by the entries it lets be searched.
double BudgetShare(std::uint64_t entries, std::uint64_t entries_of_all);

}  // namespace comity::matching
