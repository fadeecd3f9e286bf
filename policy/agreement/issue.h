// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <compare>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace comity::policy {

// A place in a document; both count from 1, columns in octets. 0: the document as a whole.
struct Position {
  int line = 0;
  int column = 0;
  auto operator<=>(const Position&) const = default;
};

// One fault of a document, for the person who wrote it.
struct Issue {
  int line = 0;
  int column = 0;
  std::string path;  // e.g. permissions[0].threshold_floor; empty: the document as a whole
  std::string message;
  auto operator<=>(const Issue&) const = default;
};

// `FILE:LINE:COLUMN: PATH: MESSAGE`, as compilers print faults.
std::string FormatIssue(const Issue& issue, std::string_view file);

// Collects faults up to a bound, so that a hostile document cannot fill memory with messages.
//
// Threads: thread-compatible.
class IssueLog {
 public:
  static constexpr std::size_t kMaxIssues = 100;
  void Add(Position at, std::string_view path, std::string message);
  bool empty() const { return issues_.empty(); }
  // Ordered by place; the last one says so if there were more than kMaxIssues.
  std::vector<Issue> Take() &&;

 private:
  std::vector<Issue> issues_;
  bool more_ = false;
};

}  // namespace comity::policy
