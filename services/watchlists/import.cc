// SPDX-License-Identifier: Apache-2.0
#include "services/watchlists/import.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <unordered_map>
#include <utility>

#include "services/watchlists/json_line.h"
#include "services/watchlists/npy.h"
#include "services/watchlists/template_rows.h"

namespace comity::watchlists {
namespace {

using policy::EngineProfile;

// Rows that fit engine and list; no rows when the template file as a whole is faulty.
struct Rows {
  ByteView elements;
  std::size_t row_bytes = 0;
};

class Importer {
 public:
  Importer(std::string_view jsonl, ByteView templates, const ImportOptions& options)
      : jsonl_(jsonl), templates_(templates), options_(options) {
    parsed_.engine = options.engine;
  }
  ParsedImport Run();

 private:
  void Fault(std::uint64_t line, std::string message);
  bool CheckLimits();
  bool CheckEngine();
  std::uint64_t CountLines() const;
  std::optional<Rows> FindRows(std::uint64_t lines);
  Result<NpyArray> ReadArray() const;
  void ReadLine(std::uint64_t line, std::string_view text);
  void ReadTemplate(std::uint64_t line, const Rows& rows);
  void WarnOfEqualTemplates();

  std::string_view jsonl_;
  ByteView templates_;
  const ImportOptions& options_;
  ParsedImport parsed_;
  std::unordered_map<std::string, std::uint64_t> line_of_reference_;
};

void Importer::Fault(std::uint64_t line, std::string message) {
  ++parsed_.fault_count;
  if (parsed_.faults.size() < ParsedImport::kMaxIssues) {
    parsed_.faults.push_back({line, std::move(message)});
  }
}

bool Importer::CheckLimits() {
  const auto check = [&](const char* what, std::uint64_t size, std::uint64_t max) {
    if (size > max) {
      Fault(0, std::string(what) + " has " + std::to_string(size) + " octets; at most " +
                   std::to_string(max) + " are read: split the list");
    }
  };
  check("the JSON Lines file", jsonl_.size(), options_.limits.max_jsonl_bytes);
  check("the template file", templates_.size(), options_.limits.max_template_bytes);
  return parsed_.ok();
}

bool Importer::CheckEngine() {
  const auto printable = [](const std::string& text) {
    return !text.empty() && text.size() <= 64 &&
           std::all_of(text.begin(), text.end(), [](char c) { return c >= 0x20 && c < 0x7f; });
  };
  const EngineProfile& engine = options_.engine;
  if (!printable(engine.name) || !printable(engine.version)) {
    Fault(0, "engine name and version have 1 to 64 printable ASCII characters each");
  }
  if (engine.dimension < EngineProfile::kMinDimension ||
      engine.dimension > EngineProfile::kMaxDimension) {
    Fault(0, "the engine's dimension is " + std::to_string(engine.dimension) +
                 "; 32 to 2048 are allowed");
  }
  return parsed_.ok();
}

std::uint64_t Importer::CountLines() const {
  const auto ends = static_cast<std::uint64_t>(std::count(jsonl_.begin(), jsonl_.end(), '\n'));
  return ends + (jsonl_.empty() || jsonl_.back() == '\n' ? 0 : 1);
}

Result<NpyArray> Importer::ReadArray() const {
  if (options_.format == TemplateFormat::kNpy) return ParseNpy(templates_);
  const std::uint64_t row_bytes = std::uint64_t{options_.engine.dimension} * sizeof(float);
  if (templates_.size() % row_bytes != 0) {
    return Fail(ErrorCode::kInvalidArgument,
                "the template file has " + std::to_string(templates_.size()) +
                    " octets, which is no whole number of rows of " + std::to_string(row_bytes));
  }
  return NpyArray{templates_.size() / row_bytes, options_.engine.dimension, templates_};
}

std::optional<Rows> Importer::FindRows(std::uint64_t lines) {
  const auto array = ReadArray();
  if (!array) {
    Fault(0, array.error().detail);
    return {};
  }
  const std::uint32_t dimension = options_.engine.dimension;
  if (array->columns != dimension) {
    Fault(0, "the template file has dimension " + std::to_string(array->columns) +
                 "; the engine profile says " + std::to_string(dimension));
    return {};
  }
  if (array->rows != lines) {
    Fault(0, "the template file has " + std::to_string(array->rows) +
                 " rows but the JSON Lines file has " + std::to_string(lines) + " lines");
    return {};
  }
  return Rows{array->elements, std::size_t{dimension} * sizeof(float)};
}

void Importer::ReadLine(std::uint64_t line, std::string_view text) {
  if (text.size() > options_.limits.max_line_bytes) {
    Fault(line, "the line has " + std::to_string(text.size()) + " octets; at most " +
                    std::to_string(options_.limits.max_line_bytes) + " are allowed");
    return;
  }
  const auto object = ParseJsonLine(text);
  if (!object) return Fault(line, object.error().detail);
  auto entry = CheckEntry(*object, options_.rules, options_.now);
  if (!entry) {
    for (std::string& fault : entry.error()) Fault(line, std::move(fault));
    return;
  }
  const auto [first, is_new] = line_of_reference_.emplace(entry->reference, line);
  if (!is_new) {
    return Fault(line, "`reference` " + entry->reference + " stands in line " +
                           std::to_string(first->second) + " already");
  }
  if (options_.taken && options_.taken(entry->reference)) {
    return Fault(line, "`reference` " + entry->reference + " is on the list already");
  }
  parsed_.entries.push_back(std::move(*entry));
}

void Importer::ReadTemplate(std::uint64_t line, const Rows& rows) {
  const std::size_t row = line - 1;
  const Status read = ReadRow(rows.elements.subspan(row * rows.row_bytes, rows.row_bytes),
                              parsed_.templates.MutableRow(row));
  if (!read) Fault(line, read.error().detail);
}

void Importer::WarnOfEqualTemplates() {
  for (const auto& [first, further] : EqualRows(parsed_.templates)) {
    ++parsed_.warning_count;
    if (parsed_.warnings.size() == ParsedImport::kMaxIssues) continue;
    parsed_.warnings.push_back(
        {further + 1, "the template of " + parsed_.entries[further].reference +
                          " is the same as that of " + parsed_.entries[first].reference +
                          " in line " + std::to_string(first + 1)});
  }
}

ParsedImport Importer::Run() {
  if (!CheckLimits() || !CheckEngine()) return std::move(parsed_);
  const std::uint64_t lines = CountLines();
  if (lines == 0 || lines > options_.limits.max_entries) {
    Fault(0, "the JSON Lines file has " + std::to_string(lines) + " lines; 1 to " +
                 std::to_string(options_.limits.max_entries) + " are allowed");
    return std::move(parsed_);
  }
  const std::optional<Rows> rows = FindRows(lines);
  if (rows) parsed_.templates = TemplateMatrix(lines, options_.engine.dimension);
  std::string_view rest = jsonl_;
  for (std::uint64_t line = 1; line <= lines; ++line) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    ReadLine(line, rest.substr(0, end));
    if (rows) ReadTemplate(line, *rows);
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  if (parsed_.ok()) {
    WarnOfEqualTemplates();
  } else {
    parsed_.entries.clear();
    parsed_.templates = TemplateMatrix();
  }
  return std::move(parsed_);
}

}  // namespace

ParsedImport ParseImport(std::string_view jsonl, ByteView templates, const ImportOptions& options) {
  return Importer(jsonl, templates, options).Run();
}

}  // namespace comity::watchlists
