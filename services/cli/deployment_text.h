// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "comity/v1/deployments.pb.h"

// Live operations as people and scripts read them.
namespace comity::cli {

nlohmann::ordered_json SummaryJson(const v1::DeploymentSummary& summary);
std::string SummaryText(const v1::DeploymentSummary& summary);  // several lines

nlohmann::ordered_json OutlookJson(const v1::HolderOutlook& holder);
std::string OutlookText(const v1::HolderOutlook& holder);  // one line, ended
// Code, agreement and clauses.
std::string DecisionText(const v1::Decision& decision);

}  // namespace comity::cli
