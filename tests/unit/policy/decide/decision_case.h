// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "policy/decide/decide.h"

namespace comity::policy::testing {

// A row of tests/data/agreements/decisions.txt.
struct DecisionCase {
  std::string name;
  std::vector<std::pair<std::string, std::string>> changes;
  std::string code;
  std::vector<std::string> clauses;
};
std::vector<DecisionCase> ReadDecisionCases();

// What a row is decided on; starts as the base request on the base document in force.
struct DecisionInput {
  std::string document;
  AgreementSet set;
  SearchRequest request;
  Usage usage;
  Instant now;
};
SearchRequest BaseRequest(const Agreement& agreement);
DecisionInput InputOf(const DecisionCase& row);

}  // namespace comity::policy::testing
