// SPDX-License-Identifier: Apache-2.0
#include <cstdlib>
#include <cstring>

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
    if (entry.expires_at <= options.now || !ResponseCode(entry.sealed_fields)) std::abort();
  }
  return 0;
}
