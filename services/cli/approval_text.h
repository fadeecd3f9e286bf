// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "comity/v1/approvals.pb.h"

// Acts that need two people, as people and scripts read them.
namespace comity::cli {

// Everything but the content.
nlohmann::ordered_json PendingJson(const v1::PendingAct& act);
// Words, hash, who and when, several lines.
std::string PendingText(const v1::PendingAct& act);
// Says that the act waits, and how it is decided. For every command that proposes one.
void ReportPending(const v1::PendingAct& act, bool json);

}  // namespace comity::cli
