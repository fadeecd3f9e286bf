// SPDX-License-Identifier: Apache-2.0
#include <cstdlib>
#include <cstring>
#include <nlohmann/json.hpp>

#include "services/watchlists/import.h"

// Whatever the entries are, an import either has all of them, well formed, or none and a fault.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace comity;
  using namespace comity::watchlists;
  const std::string_view jsonl = AsText({data, size});
  ImportOptions options;
  options.format = TemplateFormat::kFloat32;
  options.engine = {"engine", "1", 32};
  options.now = policy::ParseInstant("2026-11-25T08:00:00Z").value();
  for (const char* category : {"wanted-by-courts", "victim"}) {
    options.rules.categories.push_back(policy::ListCategory::Parse(category).value());
  }
  options.rules.quality_metric = "ofiq";
  options.rules.quality_minimum = 50;
  std::size_t lines = jsonl.empty() || jsonl.back() == '\n' ? 0 : 1;
  for (const char c : jsonl) lines += c == '\n' ? 1 : 0;
  Bytes templates(lines * 32 * 4);
  const float one = 1;
  for (std::size_t row = 0; row < lines; ++row) {
    std::memcpy(templates.data() + row * 32 * 4, &one, sizeof(one));
  }
  const ParsedImport parsed = ParseImport(jsonl, templates, options);
  const bool whole = parsed.ok() && lines > 0 && parsed.entries.size() == lines &&
                     parsed.templates.rows() == lines;
  const bool nothing = !parsed.ok() && !parsed.faults.empty() && parsed.entries.empty() &&
                       parsed.templates.rows() == 0;
  if (!whole && !nothing) std::abort();
  for (const EntryFields& entry : parsed.entries) {
    if (entry.expires_at <= options.now || entry.review_by <= options.now) std::abort();
    if (entry.under_18 || !ReadSearchFields(entry.sealed_fields)) std::abort();
    // What is kept of it is read again as the same entry.
    store::EntryRecord record;
    record.reference = entry.reference;
    record.category = entry.category;
    record.valid_from = entry.valid_from;
    record.expires_at = entry.expires_at;
    record.review_by = entry.review_by;
    const auto object = EntryObject(record, entry.sealed_fields);
    const auto again = CheckEntry(object.value(), options.rules, options.now);
    if (!again || again->sealed_fields != entry.sealed_fields) std::abort();
  }
  return 0;
}
