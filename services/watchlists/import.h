// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/base/bytes.h"
#include "policy/model/engine_profile.h"
#include "policy/model/instant.h"
#include "services/watchlists/entry_fields.h"
#include "services/watchlists/template_matrix.h"

namespace comity::watchlists {

enum class TemplateFormat {
  kNpy,      // NumPy .npy, see npy.h
  kFloat32,  // raw little-endian float32, row after row
};

// Checked before anything is parsed or allocated.
struct ImportLimits {
  std::uint64_t max_jsonl_bytes = std::uint64_t{256} << 20;
  std::uint64_t max_template_bytes = std::uint64_t{2} << 30;
  std::size_t max_line_bytes = std::size_t{16} << 10;
  std::uint64_t max_entries = 1'000'000;
};

struct ImportOptions {
  TemplateFormat format = TemplateFormat::kNpy;
  policy::EngineProfile engine;
  EntryRules rules;
  std::function<bool(std::string_view)> taken{};  // whether the list has this reference already
  policy::Instant now{};
  ImportLimits limits;
};

struct ImportIssue {
  std::uint64_t line = 0;  // of the JSON Lines file, from 1; 0: the files as a whole
  std::string message;
};

// The outcome of reading a list: entries and templates without a fault, or faults and nothing else.
struct ParsedImport {
  static constexpr std::size_t kMaxIssues = 100;  // kept of each kind; all are counted
  policy::EngineProfile engine;
  std::vector<EntryFields> entries;  // empty when there is a fault
  TemplateMatrix templates;          // row i belongs to entry i; unit norm
  std::vector<ImportIssue> faults;   // by line
  std::vector<ImportIssue> warnings;
  std::uint64_t fault_count = 0;
  std::uint64_t warning_count = 0;

  bool ok() const { return fault_count == 0; }
};

// Reads entries of a watchlist: JSON Lines (one entry a line) and the template file whose row i
// belongs to line i. All faults are looked for, not only the first.
//
// In:      jsonl, templates  untrusted
// Secret:  templates; the caller wipes its own buffer
// Threads: pure function; safe from any thread.
// Source:  docs/formats/watchlist_entries.md
ParsedImport ParseImport(std::string_view jsonl, ByteView templates, const ImportOptions& options);

}  // namespace comity::watchlists
