// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "comity/v1/node.pb.h"

namespace comity::cli {

// Something of a node that whoever is on duty should act on.
struct Concern {
  std::string words;   // what is so
  std::string remedy;  // what to do
};

// What of `status` needs somebody, the worst first: what stops the node, then what stops searches
// and messages, then what will, then what waits for a decision.
//
// In: contacted  whether the gateway was asked to say hello to its partners
std::vector<Concern> ConcernsOf(const v1::NodeStatusResponse& status, bool contacted);

}  // namespace comity::cli
