// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/base/bytes.h"
#include "crypto/base/result.h"
#include "crypto/tlog/entry_time.h"

namespace comity::tlog {

inline constexpr std::size_t kMaxEntrySize = 8 * 1024;
inline constexpr std::size_t kMaxEntryText = 128;  // octets of one string of an entry

// One entry of the audit log: who did what under which agreement, with commitments instead of
// content. Canonical JSON (RFC 8785) of these fields and no others; an empty optional field is left
// out. Strings have 1..128 characters of printable ASCII without '"' and '\', so that nothing is
// ever escaped. Layout with an example: docs/formats/audit_entry.md.
//
// Threads: a value.
struct LogEntry {
  static constexpr int kVersion = 1;

  struct Agreement {
    std::string id;
    std::int64_t version = 1;  // 1..2^53-1
    Digest sha256;             // lower-case hex in the text
    bool operator==(const Agreement&) const = default;
  };
  struct Decision {
    std::string code;
    std::vector<std::string> clauses;
    bool operator==(const Decision&) const = default;
  };

  std::string type;
  EntryTime time{};
  std::string exchange;              // empty: an act inside the agency
  std::vector<std::string> parties;  // 1..64, own agency first
  std::optional<Agreement> agreement;
  std::optional<Decision> decision;
  std::map<std::string, Digest> commitments;   // field name -> Commit(...) (commitment.h)
  std::map<std::string, Digest> messages;      // message name -> digest of the signed message
  std::map<std::string, std::int64_t> counts;  // 0..2^53-1
  bool operator==(const LogEntry&) const = default;
};

// The octets that are logged.
// Errors: kInvalidArgument  a field is outside its bounds (named), or the entry exceeds 8 KiB
Result<std::string> EncodeEntry(const LogEntry& entry);
// In:     text  untrusted
// Errors: kInvalidArgument  anything but what EncodeEntry gives for some entry; names the octet
Result<LogEntry> ParseEntry(std::string_view text);

// What an audit counts of an entry.
struct EntryFacts {
  std::string type;
  EntryTime time{};
};
// Accepts exactly what ParseEntry accepts (both run one grammar) without building the entry: about
// six times as fast. `facts` is reused from call to call.
Status CheckEntry(std::string_view text, EntryFacts& facts);

}  // namespace comity::tlog
