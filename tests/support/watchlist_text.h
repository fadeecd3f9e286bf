// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "policy/model/instant.h"

// Lists as their keepers write them: a definition and entries that pass every check unless a test
// says otherwise.
namespace comity::testing {

struct DefinitionText {
  std::string reference = "lantern";
  std::string purpose = "court-order-arrest";
  std::vector<std::string> agreements;
  std::vector<std::string> categories = {"wanted-by-courts"};
  std::string engine_name = "facenet";
  std::string engine_version = "20180402";
  std::uint32_t dimension = 128;
  std::string threshold = "0.5";
  std::string false_match_rate = "0.000001";
  std::uint64_t expected_faces = 1000;
  std::uint64_t false_alert_budget = 1000;
  std::uint64_t size_cap = 1'000'000;
  policy::Instant starts_at{};
  policy::Instant ends_at{};
  bool includes_under_18 = false;
};

inline std::string WriteDefinition(const DefinitionText& text) {
  std::string agreements;
  for (const std::string& agreement : text.agreements) {
    agreements += (agreements.empty() ? "" : ", ") + agreement;
  }
  std::string yaml =
      "schema: comity/watchlist/1\nreference: " + text.reference +
      "\noperation_ref: OP-2026-17\nobjective: find people whom a court wants\n"
      "use_case: court-order\npurpose: " +
      text.purpose + "\nagreements: [" + agreements +
      "]\nplaces: [Old Bridge]\nstarts_at: " + policy::EncodeInstant(text.starts_at) +
      "\nends_at: " + policy::EncodeInstant(text.ends_at) +
      "\ncriteria: open warrants of the crown court\n"
      "intelligence_case_ref: IC-7\ncategories:\n";
  for (const std::string& category : text.categories) {
    yaml += "  - category: " + category + "\n    added_value: likely to pass the bridge\n";
  }
  yaml += "engine:\n  name: " + text.engine_name + "\n  version: \"" + text.engine_version +
          "\"\n  dimension: " + std::to_string(text.dimension) +
          "\n  metric: cosine\n  threshold: " + text.threshold +
          "\n  test_report: laboratory report 12\n  false_match_rate: " + text.false_match_rate +
          "\nexpected_faces: " + std::to_string(text.expected_faces) +
          "\nfalse_alert_budget: " + std::to_string(text.false_alert_budget) +
          "\nsize_cap: " + std::to_string(text.size_cap) +
          "\nquality:\n  metric: ofiq\n  minimum: 50\ninformation_max_age: P30D\n";
  yaml += text.includes_under_18 ? "includes_under_18: true\ngrounds:\n"
                                   "  - exception: under-18\n    text: the child is at risk\n"
                                 : "includes_under_18: false\ngrounds: []\n";
  return yaml;
}

struct EntryText {
  std::string reference;
  std::string category = "wanted-by-courts";
  std::string subject = "suspect";
  std::string response = "speak to the person";
  policy::Instant now{};
  std::chrono::seconds valid_for = std::chrono::hours(24);
  bool under_18 = false;
  bool vulnerable = false;
};

inline nlohmann::json EntryJson(const EntryText& text) {
  const auto time = [&](std::chrono::seconds from_now) {
    return policy::EncodeInstant(text.now + from_now);
  };
  return {
      {"reference", text.reference},
      {"category", text.category},
      {"subject_category", text.subject},
      {"identified", true},
      {"under_18", text.under_18},
      {"vulnerable", text.vulnerable},
      {"image",
       {{"source_kind", "custody"},
        {"acquisition_legal_basis", "PACE 1984 s.64A"},
        {"captured_on", "2026-03-01"},
        {"third_party_sensitive", false},
        {"disposition", "convicted"},
        {"quality", {{"metric", "ofiq"}, {"value", 87}}}}},
      {"rationale",
       {{"necessity", "Warrant; not at the known address."},
        {"proportionality", "Other enquiries have failed."},
        {"by", "Detective Inspector"},
        {"at", time(-std::chrono::hours(1))}}},
      {"fact_or_assessment", "fact"},
      {"reliability",
       {{"as_of", time(-std::chrono::hours(1))}, {"grade", "1A"}, {"completeness", "complete"}}},
      {"response", {{"priority", "amber"}, {"text", text.response}}},
      {"handling_code", "P"},
      {"valid_from", time(-std::chrono::minutes(1))},
      {"expires_at", time(text.valid_for)},
      {"review_by", time(text.valid_for)}};
}

// One line of an import, with its line feed.
inline std::string EntryLine(const EntryText& text) {
  return EntryJson(text).dump() + "\n";
}

}  // namespace comity::testing
