// SPDX-License-Identifier: Apache-2.0
#include "services/cli/output.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <utility>

namespace comity::cli {
namespace {

// Characters, not octets: continuation octets of UTF-8 take no room.
std::size_t WidthOf(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xc0) != 0x80;
  }));
}

}  // namespace

void Print(std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
}

void PrintError(std::string_view line) {
  std::fprintf(stderr, "%.*s\n", static_cast<int>(line.size()), line.data());
}

void PrintJson(const nlohmann::ordered_json& value) {
  Print(value.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n");
}

bool FlushOutput() {
  return std::fflush(stdout) == 0 && std::ferror(stdout) == 0;
}

std::string Clean(std::string_view text, Lines lines) {
  std::string clean(text);
  for (std::size_t i = 0; i < clean.size(); ++i) {
    const auto octet = static_cast<unsigned char>(clean[i]);
    if (octet == '\n' && lines == Lines::kKeep) continue;
    // U+0080..U+009F are control characters too; in UTF-8 they are 0xC2 and this octet.
    const bool is_c1 = octet >= 0x80 && octet < 0xa0 && i > 0 && clean[i - 1] == '\xc2';
    if (octet < 0x20 || octet == 0x7f) clean[i] = '?';
    if (is_c1) clean[i] = '\xbf';
  }
  return clean;
}

Table::Table(std::vector<std::string> headings) {
  rows_.push_back(std::move(headings));
}

void Table::Add(std::vector<std::string> row) {
  for (std::string& cell : row) cell = cell.empty() ? "-" : Clean(cell);
  rows_.push_back(std::move(row));
}

std::string Table::Text() const {
  std::vector<std::size_t> widths(rows_.front().size());
  for (const auto& row : rows_) {
    for (std::size_t i = 0; i < row.size() && i < widths.size(); ++i) {
      widths[i] = std::max(widths[i], WidthOf(row[i]));
    }
  }
  std::string text;
  for (const auto& row : rows_) {
    for (std::size_t i = 0; i < row.size() && i < widths.size(); ++i) {
      text += row[i];
      if (i + 1 < row.size()) text.append(widths[i] - WidthOf(row[i]) + 2, ' ');
    }
    text += "\n";
  }
  return text;
}

ProgressLine::ProgressLine(std::string what)
    : what_(std::move(what)), is_terminal_(::isatty(STDERR_FILENO) == 1) {}

ProgressLine::~ProgressLine() {
  if (shown_) std::fputs("\r\x1b[K", stderr);
}

void ProgressLine::Show(std::uint64_t done, std::uint64_t all) {
  if (!is_terminal_) return;
  shown_ = true;
  std::string text = "\r" + what_ + ": " + std::to_string(done);
  if (all > 0) {
    text += " of " + std::to_string(all) + " (" + std::to_string(done * 100 / all) + " %)";
  }
  std::fprintf(stderr, "%s\x1b[K", text.c_str());
}

}  // namespace comity::cli
