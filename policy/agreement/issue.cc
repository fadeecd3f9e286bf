// SPDX-License-Identifier: Apache-2.0
#include "policy/agreement/issue.h"

#include <algorithm>
#include <utility>

namespace comity::policy {

std::string FormatIssue(const Issue& issue, std::string_view file) {
  std::string text(file);
  if (issue.line > 0) {
    text += ":" + std::to_string(issue.line) + ":" + std::to_string(issue.column);
  }
  text += ": ";
  if (!issue.path.empty()) text += issue.path + ": ";
  return text + issue.message;
}

void IssueLog::Add(Position at, std::string_view path, std::string message) {
  if (issues_.size() >= kMaxIssues) {
    more_ = true;
    return;
  }
  issues_.push_back({at.line, at.column, std::string(path), std::move(message)});
}

std::vector<Issue> IssueLog::Take() && {
  std::sort(issues_.begin(), issues_.end());
  issues_.erase(std::unique(issues_.begin(), issues_.end()), issues_.end());
  if (more_) issues_.push_back({0, 0, "", "there are more faults; correct these first"});
  return std::move(issues_);
}

}  // namespace comity::policy
