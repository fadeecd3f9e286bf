// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "comity/v1/watchlists.pb.h"
#include "services/cli/exit_code.h"

// Lists and entries as people and scripts read them.
namespace comity::cli {

nlohmann::ordered_json SummaryJson(const v1::WatchlistSummary& summary);
// States, times and counts, several lines.
std::string SummaryText(const v1::WatchlistSummary& summary);
// "wanted-by-courts 12, missing-at-risk 3"
std::string CategoriesText(const v1::WatchlistSummary& summary);

// What came of adding entries to a draft; faults go to standard error as `place:LINE: message`.
// kNo when there are faults.
ExitCode ReportAdded(const v1::AddEntriesResponse& response, const std::string& list,
                     const std::string& place, bool json);

}  // namespace comity::cli
