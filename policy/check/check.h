// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "policy/agreement/issue.h"
#include "policy/model/agreement.h"

namespace comity::policy {

// The rules that need more than one field, or knowledge of the law. All faults, each with its path;
// line and column are 0 because a value has none.
//
// Threads: pure function; safe from any thread.
// Source:  docs/formats/agreement.md, "Rules"
std::vector<Issue> Check(const Agreement& agreement);

struct LoadedAgreement {
  std::optional<Agreement> agreement;  // set exactly when there are no issues
  std::vector<Issue> issues;           // ordered by place
};

// ParseDocument, then Check with the places of the faults. The one way from bytes to an agreement
// that may be signed, stored or decided by.
//
// In: yaml  untrusted, at most kMaxDocumentBytes
LoadedAgreement LoadAgreement(std::string_view yaml);

}  // namespace comity::policy
