// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/base/bytes.h"
#include "policy/agreement/issue.h"
#include "policy/model/engine_profile.h"
#include "policy/model/ids.h"
#include "policy/model/instant.h"

namespace comity::watchlists {

inline constexpr std::string_view kDefinitionSchema = "comity/watchlist/1";
inline constexpr std::size_t kMaxDefinitionBytes = std::size_t{64} << 10;
// One operation (WL-4), also a long one.
inline constexpr std::chrono::days kMaxListLength{366};

// For what a list is used (domain schema B3).
enum class UseCase {
  kHotspot,
  kProtectiveSecurity,
  kLocatedIntelligence,
  kMissingPerson,
  kCourtOrder
};
std::string_view Name(UseCase term);  // "protective-security"

// What is refused unless the definition names a ground for it (WL-3, WL-13).
enum class Exception { kUnder18, kNeverCharged, kOrderedDeleted };
std::string_view Name(Exception term);  // "never-charged"

struct ListedCategory {
  policy::ListCategory category;
  std::string added_value;  // what these entries add to the operation (WL-6)
};
struct Ground {
  Exception exception{};
  std::string text;
};

// To what one operation a list is bound (WL-4), and which entries it takes.
struct ListDefinition {
  policy::WatchlistId reference;
  Digest sha256;  // of the document's octets
  std::string operation_ref;
  std::string objective;
  UseCase use_case{};
  policy::PurposeCode purpose;
  std::vector<policy::AgreementId> agreements;  // under which partners search it; none: own use
  std::vector<std::string> places;
  policy::Instant starts_at{};
  policy::Instant ends_at{};
  std::string criteria;
  std::string intelligence_case_ref;
  std::vector<ListedCategory> categories;
  policy::EngineProfile engine;
  double threshold = 1.0;         // cosine; no score below it is a hit
  std::string test_report;        // of the engine at this threshold
  double false_match_rate = 1.0;  // of one comparison, by the test report
  std::uint64_t expected_faces = 0;
  std::uint64_t false_alert_budget = 0;
  std::uint64_t size_cap = 0;
  std::string quality_metric;
  std::int64_t quality_minimum = 100;
  std::chrono::seconds information_max_age{};  // of reliability.as_of; older entries do not match
  bool includes_under_18 = false;
  std::vector<Ground> grounds;

  bool Takes(const policy::ListCategory& category) const;
  bool HasGround(Exception exception) const;
};

struct ParsedDefinition {
  std::optional<ListDefinition> definition;  // set exactly when there are no issues
  std::vector<policy::Issue> issues;         // all faults, by place
};

// Reads a list definition: the YAML subset of agreements and the closed schema comity/watchlist/1;
// every field is mandatory.
//
// In:      yaml  untrusted
// Threads: pure function; safe from any thread.
// Source:  docs/formats/watchlist_definition.md
ParsedDefinition ParseDefinition(std::string_view yaml);

// What a list of `entries` does to passers-by (WL-6): of the expected faces, none of them listed.
struct Prediction {
  double fpir = 0;  // that one face hits some entry: 1 - (1 - FMR)^entries
  double false_alerts = 0;
};
Prediction Predict(const ListDefinition& definition, std::uint64_t entries);

// The definition in plain English, one statement a line.
std::string Describe(const ListDefinition& definition);

}  // namespace comity::watchlists
