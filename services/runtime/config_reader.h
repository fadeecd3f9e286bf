// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <toml++/toml.h>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "services/runtime/config.h"

namespace comity::runtime {

// Reads one table of a closed schema: each key is asked for by name, and Finish reports the keys
// nobody asked for. A fault becomes an issue with its place and reading goes on, so that all faults
// are found in one run.
//
// Threads: thread-compatible.
class TableReader {
 public:
  // `name` is how issues call the table: "[agency]". All arguments must outlive the reader.
  TableReader(const toml::table& table, std::string name, std::vector<ConfigIssue>& issues)
      : table_(table), name_(std::move(name)), issues_(issues) {}

  struct Text {
    std::string value;
    ConfigIssue place;  // line and column of the value, to report a fault of its form
  };
  struct Bounds {
    std::int64_t least = 0;
    std::int64_t most = 0;
  };

  // Text of 1..`max_size` octets without control characters.
  std::optional<Text> Required(std::string_view key, std::size_t max_size);
  std::optional<Text> Optional(std::string_view key, std::size_t max_size);
  std::optional<std::int64_t> OptionalNumber(std::string_view key, Bounds bounds);
  // A sub-table; a missing one is an issue if `required`.
  const toml::table* Table(std::string_view key, bool required);
  // The tables of [[key]], in order; none if it is absent.
  std::vector<const toml::table*> Tables(std::string_view key);

  void Report(const ConfigIssue& place, std::string message);
  void Finish();

 private:
  const toml::node* Find(std::string_view key);
  void ReportNode(const toml::node& node, std::string message);
  std::optional<Text> ReadText(const toml::node& node, std::string_view key, std::size_t max_size);

  const toml::table& table_;
  const std::string name_;
  std::vector<ConfigIssue>& issues_;
  std::vector<std::string> known_;
};

ConfigIssue PlaceOf(const toml::source_region& source);

}  // namespace comity::runtime
