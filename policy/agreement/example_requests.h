// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "policy/agreement/issue.h"
#include "policy/model/decision.h"
#include "policy/model/instant.h"

namespace comity::policy {

inline constexpr std::string_view kExamplesSchema = "comity/agreement-tests/1";

// One request that people thought of, with the decision that they expect of the agreement.
struct ExampleRequest {
  std::string name;
  Instant at{};
  SearchRequest request;  // `agreement` absent: it is the one under test
  // What is counted already on that day.
  std::uint64_t probes_today = 0;
  std::uint64_t officer_today = 0;
  std::uint64_t case_today = 0;
  ReasonCode expected{};
  std::optional<std::string> expected_clause;  // the most specific one; absent: none at all
};

struct ExampleRequests {
  AgreementId agreement;  // the id that they are for, over all its versions
  std::vector<ExampleRequest> cases;
};

struct ParsedExamples {
  std::optional<ExampleRequests> examples;  // set exactly when there are no issues
  std::vector<Issue> issues;                // all faults
};

// Reads `<name>.tests.yaml`: the strict YAML subset and the closed schema comity/agreement-tests/1.
//
// In:      yaml  untrusted, at most kMaxDocumentBytes
// Errors:  never; faults are in `issues`
// Threads: pure function; safe from any thread.
// Source:  docs/formats/agreement_tests.md; docs/sample_agreement.tests.yaml
ParsedExamples ParseExamples(std::string_view yaml);

}  // namespace comity::policy
