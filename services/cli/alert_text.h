// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "comity/v1/alerts.pb.h"

namespace comity::cli {

// An alert for people: one line that an operator reads aloud.
std::string AlertLine(const v1::Alert& alert);
std::string LastCamera(const v1::Alert& alert);

// An alert for scripts. What the agreement does not release is null.
nlohmann::ordered_json AlertJson(const v1::Alert& alert);

}  // namespace comity::cli
