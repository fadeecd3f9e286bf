// SPDX-License-Identifier: Apache-2.0
#include "services/runtime/config_reader.h"

#include <fmt/format.h>

#include <algorithm>

#include "services/runtime/json_text.h"
#include "services/runtime/nearest.h"

namespace comity::runtime {
namespace {

constexpr std::size_t kMaxQuotedBytes = 64;  // of the file's own text in a message

std::string Quoted(std::string_view text) {
  std::string quoted = "`";
  AppendJsonText(quoted, text, kMaxQuotedBytes);
  return quoted + "`";
}

bool HasControlCharacter(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](char character) {
    const auto octet = static_cast<unsigned char>(character);
    return octet < 0x20 || octet == 0x7F;
  });
}

}  // namespace

ConfigIssue PlaceOf(const toml::source_region& source) {
  return {source.begin.line, source.begin.column, {}};
}

const toml::node* TableReader::Find(std::string_view key) {
  known_.emplace_back(key);
  return table_.get(key);
}

void TableReader::Report(const ConfigIssue& place, std::string message) {
  issues_.push_back({place.line, place.column, std::move(message)});
}

void TableReader::ReportNode(const toml::node& node, std::string message) {
  Report(PlaceOf(node.source()), std::move(message));
}

std::optional<TableReader::Text> TableReader::ReadText(const toml::node& node, std::string_view key,
                                                       std::size_t max_size) {
  const auto value = node.value_exact<std::string>();
  if (!value) {
    ReportNode(node, fmt::format("`{}` of {} must be text in quotes", key, name_));
  } else if (value->empty() || value->size() > max_size || HasControlCharacter(*value)) {
    ReportNode(node, fmt::format("`{}` of {} must have 1 to {} octets and no control characters",
                                 key, name_, max_size));
  } else {
    return Text{*value, PlaceOf(node.source())};
  }
  return std::nullopt;
}

std::optional<TableReader::Text> TableReader::Required(std::string_view key, std::size_t max_size) {
  const toml::node* node = Find(key);
  if (node != nullptr) return ReadText(*node, key, max_size);
  ReportNode(table_, fmt::format("`{}` is missing from {}", key, name_));
  return std::nullopt;
}

std::optional<TableReader::Text> TableReader::Optional(std::string_view key, std::size_t max_size) {
  const toml::node* node = Find(key);
  if (node == nullptr) return std::nullopt;
  return ReadText(*node, key, max_size);
}

std::optional<std::int64_t> TableReader::OptionalNumber(std::string_view key, Bounds bounds) {
  const toml::node* node = Find(key);
  if (node == nullptr) return std::nullopt;
  const auto value = node->value_exact<std::int64_t>();
  if (value && *value >= bounds.least && *value <= bounds.most) return value;
  ReportNode(*node, fmt::format("`{}` of {} must be a whole number from {} to {}", key, name_,
                                bounds.least, bounds.most));
  return std::nullopt;
}

const toml::table* TableReader::Table(std::string_view key, bool required) {
  const toml::node* node = Find(key);
  if (node == nullptr) {
    if (required) Report({1, 1, {}}, fmt::format("the table [{}] is missing", key));
    return nullptr;
  }
  if (!node->is_table()) ReportNode(*node, fmt::format("`{}` must be a table: [{}]", key, key));
  return node->as_table();
}

std::vector<const toml::table*> TableReader::Tables(std::string_view key) {
  std::vector<const toml::table*> tables;
  const toml::node* node = Find(key);
  if (node == nullptr) return tables;
  const toml::array* array = node->as_array();
  if (array == nullptr) {
    ReportNode(*node, fmt::format("`{}` must be a list of tables: [[{}]]", key, key));
    return tables;
  }
  for (const toml::node& element : *array) {
    if (element.is_table()) {
      tables.push_back(element.as_table());
    } else {
      ReportNode(element, fmt::format("`{}` must be a list of tables: [[{}]]", key, key));
    }
  }
  return tables;
}

void TableReader::Finish() {
  for (const auto& [key, value] : table_) {
    if (std::find(known_.begin(), known_.end(), key.str()) != known_.end()) continue;
    Report(PlaceOf(key.source()),
           fmt::format("unknown key {} in {}; did you mean `{}`?", Quoted(key.str()), name_,
                       Nearest(key.str(), known_)));
  }
}

}  // namespace comity::runtime
