// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "policy/model/agreement.h"

namespace comity::policy {

// One clause of which two documents say different things. Empty: that one has no such clause.
struct ClauseChange {
  std::string id;
  std::string before;
  std::string after;
  bool operator==(const ClauseChange&) const = default;
};

// What people must read before they sign a higher version: every clause that differs, in the order
// of `after` and then what is gone; nothing when only the version differs. Clauses are compared as
// sentences (ListClauses), so that no change of a value is left out.
std::vector<ClauseChange> CompareClauses(const Agreement& before, const Agreement& after);

// The same as text, one change in two or three lines.
std::string RenderDifference(const Agreement& before, const Agreement& after);

}  // namespace comity::policy
