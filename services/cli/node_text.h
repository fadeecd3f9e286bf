// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "comity/v1/node.pb.h"
#include "services/cli/node_concerns.h"

// A node as people and scripts read it.
namespace comity::cli {

struct NodeReport {
  const v1::NodeStatusResponse& status;
  const std::vector<Concern>& concerns;
  bool contacted = false;  // partners were asked now
};

// What needs somebody first, then each part in a few lines of at most 79 columns: one screen of 24
// lines if little is wrong. Longer parts are cut, with a count and the command that shows all.
std::string NodeText(const NodeReport& report);

nlohmann::ordered_json NodeJson(const NodeReport& report);

}  // namespace comity::cli
