// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "policy/model/agreement.h"

namespace comity::policy {

// One sentence of an agreement in plain English. The id is what decisions name; a party's several
// signatories share one.
struct Clause {
  std::string_view section;  // heading under which it stands
  std::string id;            // e.g. p1.threshold_floor
  std::string sentence;
  bool operator==(const Clause&) const = default;
};

// The shortest of at most 9 decimals, as a document may write it: 0.64.
std::string DecimalText(double value);

// Every value of the document, in its order. Deterministic: one document, one text.
std::vector<Clause> ListClauses(const Agreement& agreement);

}  // namespace comity::policy
