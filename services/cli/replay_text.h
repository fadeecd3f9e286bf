// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "services/cli/engine_replay.h"

// What a replay found, as people and scripts read it.
namespace comity::cli {

std::string ReplayText(const ReplayReport& report);
nlohmann::ordered_json ReplayJson(const ReplayReport& report);

}  // namespace comity::cli
