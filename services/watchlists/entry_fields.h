// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/base/result.h"
#include "policy/model/ids.h"
#include "policy/model/instant.h"

namespace comity::watchlists {

// The most octets of a response code, which travels with a hit (proto Hit.response_code).
inline constexpr std::size_t kMaxResponseCode = 256;

// One line of an import after all checks: what the store keeps in the clear, and the rest.
struct EntryFields {
  std::string reference;  // 1..64 printable ASCII without spaces
  policy::ListCategory category;
  policy::Instant valid_from{};
  policy::Instant expires_at{};
  // Canonical JSON of every other field of the line; personal data, sealed at rest.
  std::string sealed_fields;
};

// Checks one line's object against the closed schema of docs/formats/watchlist_import.md.
//
// In:     object  parsed JSON without duplicate names; untrusted
//         now     entries that are expired at this moment are refused
// Returns the entry, or every fault of the line: unknown or missing field, wrong type, value
// outside its list or range. A fault names its field and, of personal fields, never repeats the
// value.
tl::expected<EntryFields, std::vector<std::string>> CheckEntry(const nlohmann::json& object,
                                                               policy::Instant now);

// What the operator is to do, as it travels with a hit: "red: stop and arrest [safety: weapons]".
//
// In:     sealed_fields  as CheckEntry made them
// Errors: kCorrupt  not such a text
Result<std::string> ResponseCode(std::string_view sealed_fields);

}  // namespace comity::watchlists
