// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/base/result.h"
#include "policy/model/ids.h"
#include "policy/model/instant.h"
#include "policy/model/terms.h"
#include "services/store/records.h"
#include "services/watchlists/definition.h"

namespace comity::watchlists {

// The most octets of a response code, which travels with a hit (proto Hit.response_code).
inline constexpr std::size_t kMaxResponseCode = 256;

// What the definition of the list demands of each of its entries.
struct EntryRules {
  std::vector<policy::ListCategory> categories;
  std::string quality_metric;
  std::int64_t quality_minimum = 100;
  bool under_18 = false;
  bool never_charged = false;
  bool ordered_deleted = false;
};
EntryRules RulesOf(const ListDefinition& definition);

// One entry after all checks: what the store keeps in the clear, and the rest.
struct EntryFields {
  std::string reference;  // 1..64 printable ASCII without spaces
  policy::ListCategory category;
  policy::SubjectCategory subject{};
  bool under_18 = false;
  // Victims, witnesses, associates, children and vulnerable people (WL-3).
  bool needs_approval = false;
  policy::Instant valid_from{};
  policy::Instant expires_at{};
  policy::Instant review_by{};
  policy::Instant as_of{};
  std::string rationale;  // canonical JSON of the rationale alone: what the manifest commits to
  // Canonical JSON of every field that does not stand in an EntryRecord; personal data, sealed at
  // rest.
  std::string sealed_fields;
};

// Checks one entry against the closed schema of docs/formats/watchlist_entries.md and the rules of
// its list.
//
// In:     object  parsed JSON without duplicate names; untrusted
//         now     entries that are expired, or whose review is overdue, are refused
// Returns the entry, or every fault: unknown, missing or identifying field, wrong type, value
// outside its list or range, image below the quality that the list demands. A fault names its field
// and, of personal fields, never repeats the value.
tl::expected<EntryFields, std::vector<std::string>> CheckEntry(const nlohmann::json& object,
                                                               const EntryRules& rules,
                                                               policy::Instant now);

// The object that CheckEntry was given, from what is stored of it.
//
// In:     sealed_fields  as CheckEntry made them
// Errors: kCorrupt  not such a text
Result<nlohmann::json> EntryObject(const store::EntryRecord& record,
                                   std::string_view sealed_fields);

// What a search needs to know of an entry besides what stands in the clear.
struct SearchFields {
  std::string response_code;  // as it travels with a hit: "red: stop and arrest [safety: weapons]"
  policy::SubjectCategory subject{};
};
// In:     sealed_fields  as CheckEntry made them
// Errors: kCorrupt  not such a text
Result<SearchFields> ReadSearchFields(std::string_view sealed_fields);

}  // namespace comity::watchlists
