// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace comity::cli {

// Results go to standard output, everything else to standard error.
void Print(std::string_view text);
void PrintError(std::string_view line);  // adds the line's end
void PrintJson(const nlohmann::ordered_json& value);
// Errors of the output itself (a full disk, a closed pipe) show here. False: something was lost.
bool FlushOutput();

// Text from elsewhere without control characters, so that it can forge neither lines nor a
// terminal's state.
enum class Lines { kReplace, kKeep };
std::string Clean(std::string_view text, Lines lines = Lines::kReplace);

// A table for people: columns as wide as needed, two spaces between them. Cells are cleaned.
//
// Threads: thread-compatible.
class Table {
 public:
  explicit Table(std::vector<std::string> headings);
  void Add(std::vector<std::string> row);
  bool empty() const { return rows_.size() < 2; }
  std::string Text() const;

 private:
  std::vector<std::vector<std::string>> rows_;  // the headings first
};

// How far a long command is, on standard error; silent when that is no terminal.
//
// Threads: thread-compatible.
class ProgressLine {
 public:
  explicit ProgressLine(std::string what);
  ~ProgressLine();
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;
  void Show(std::uint64_t done, std::uint64_t all);  // all 0: unknown

 private:
  const std::string what_;
  const bool is_terminal_;
  bool shown_ = false;
};

}  // namespace comity::cli
