// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <span>
#include <string_view>
#include <vector>

#include "policy/agreement/issue.h"
#include "policy/model/agreement.h"
#include "policy/model/retention.h"

namespace comity::policy {

// Which class of records a period of the document's `retention` is for.
struct RetentionField {
  std::string_view name;
  std::chrono::seconds Retention::* period;
  RetentionClass record_class;
};
std::span<const RetentionField> RetentionFields();  // every one

// The rules that come from the law and not from the document's own logic: joint controllers,
// data of law enforcement used outside it, patients' data for law enforcement, cases, retention
// (policy/model/retention.h).
// Line and column of the faults are 0.
//
// Threads: pure function; safe from any thread.
// Source:  docs/formats/agreement.md, "Rules"; domain requirements AG-6, PU-3, PU-4, PU-7, PU-10,
//          WL-5, RD-1
std::vector<Issue> CheckLaw(const Agreement& agreement);

}  // namespace comity::policy
