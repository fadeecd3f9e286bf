// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "policy/agreement/issue.h"
#include "policy/model/agreement.h"

namespace comity::policy {

inline constexpr std::size_t kMaxDocumentBytes = 256 * 1024;
inline constexpr std::string_view kAgreementSchema = "comity/agreement/1";

struct ParsedDocument {
  std::optional<Agreement> agreement;  // set exactly when there are no issues
  std::vector<Issue> issues;           // all faults, at most IssueLog::kMaxIssues + 1
  // Where each value stands, by path (`parties[1].dpo.key`): for faults found by later checks.
  std::map<std::string, Position, std::less<>> positions;
};

// Reads an agreement document: the strict YAML subset and the closed schema comity/agreement/1.
// Rules that need more than one field are Check's (policy/check); callers use LoadAgreement.
//
// In:      yaml  untrusted, at most kMaxDocumentBytes
// Errors:  never; faults are in `issues`
// Threads: pure function; safe from any thread.
// Source:  docs/formats/agreement.md; tests/data/agreements
ParsedDocument ParseDocument(std::string_view yaml);

}  // namespace comity::policy
