// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "policy/decide/decide.h"
#include "policy/decide/nearest.h"

namespace comity::policy {

// What one clause says to one request. A clause that has nothing to say is not listed.
struct Finding {
  std::optional<AgreementRef> agreement;  // absent: about the request alone
  std::string permission;                 // whose bound it is; empty: of the agreement as a whole
  std::string clause;                     // e.g. p1.threshold_floor
  bool passed = false;
  std::string words;  // "threshold 0.6 is below the floor of 0.64"
};

struct Explanation {
  Decision decision;  // Decide's
  std::vector<Finding>
      findings;  // of the named agreement first, then of the others between the two
  std::optional<Nearest> nearest;  // absent: permitted, out of capacity, or nothing is permitted
};

// Why a request is decided as it is: every clause that speaks, each permission with each of its
// bounds, and what would have had to be otherwise.
//
// Threads: pure function; safe from any thread.
Explanation Explain(const AgreementSet& set, const SearchRequest& request, const Usage& usage,
                    Instant now);

// The same as text for people, one finding a line.
std::string RenderExplanation(const Explanation& explanation);

}  // namespace comity::policy
