// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace comity::runtime {

// Every key of a gateway's configuration, once: the reference that people read is made of it,
// numbers are read by its bounds, and a test compares the rest with what the reader takes and
// assumes.

enum class KeyType { kText, kPath, kPrivatePath, kAddress, kNumber, kSeconds, kMilliseconds };

struct ConfigKey {
  std::string_view table;  // "limits"
  std::string_view key;    // "max_streams"
  KeyType type{};
  std::int64_t least = 0;  // of a number: both included; of text: octets, 1 to `most`
  std::int64_t most = 0;
  std::string_view form;      // what else bounds it, in words; may be empty
  std::string_view fallback;  // what counts without it: "30"; "required"; "none"
  std::string_view meaning;   // one sentence or more, Markdown
};

struct ConfigTable {
  std::string_view name;      // "limits"
  std::string_view presence;  // "required", "exactly two"; empty: it may be left out
  std::string_view meaning;   // Markdown; may be empty
  std::string_view after;     // what is said after its keys, Markdown; may be empty
};

std::span<const ConfigTable> ConfigTables();  // in the order of the reference
std::span<const ConfigKey> ConfigKeys();      // by table, in the same order

// Of a key that there is; another one ends the process: what is read has a row here.
const ConfigKey& ConfigKeyOf(std::string_view table, std::string_view key);

// The reference: docs/operations/configuration.md, and the same as plain text of 79 columns.
std::string ConfigReferenceMarkdown();
std::string ConfigReferenceText();

}  // namespace comity::runtime
