// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "policy/model/instant.h"

namespace comity::testing {

// Public keys (ed25519:...) of one party of an agreement.
struct PartyKeys {
  std::string agency;
  std::string agency_key;
  std::string dpo_key;
  std::string signatory_key;         // post: Senior Information Risk Owner
  std::string second_signatory_key;  // post: Chief Officer
  std::string regimes = "UK-P3";     // one or more, with commas
  bool caldicott = false;            // the Senior Information Risk Owner guards confidentiality
};

// What differs between the agreements that tests and the demo write; the rest is as in
// docs/sample_agreement.yaml.
struct AgreementText {
  std::string id = "northshire-eastvale";
  std::uint32_t version = 1;
  PartyKeys requester;
  PartyKeys holder;
  std::string purpose = "court-order-arrest";
  std::vector<std::string> list_categories = {"wanted-by-courts"};
  std::string engine_name = "facenet";
  std::string engine_version = "20180402";
  std::uint32_t dimension = 128;
  std::string threshold_floor = "0.5";
  std::string mode = "direct";  // or sealed
  std::uint32_t hit_cap = 100;
  std::uint64_t probes_per_day = 1'000'000;
  std::optional<std::uint64_t> per_officer_per_day;  // absent: as many as in all
  std::optional<std::uint64_t> per_case_per_day;
  std::string purpose_label = "Arrest of people whom a court has ordered to be arrested";
  std::string purpose_parent = "court-order-compliance";
  std::string offence_floor = "none";
  std::vector<std::string> subject_categories = {"suspect", "convicted",      "victim",
                                                 "witness", "missing",        "vulnerable",
                                                 "other",   "about-to-commit"};
  std::string authorised_by = "none";
  std::vector<std::string> roles = {"engine"};
  std::vector<std::string> uses = {"live"};
  std::vector<std::string> releases = {"reference-number", "category", "response-code"};
  std::map<std::string, std::string> release_roles;  // of an item; else all who look at alerts
  std::string hit_rate_percent = "100";
  std::string hit_rate_window = "PT1H";
  std::uint32_t repeated_hits_of_entry = 1'000'000;
  std::string repeated_hits_window = "PT1H";
  std::uint32_t max_entries = 1'000'000;
  std::string max_age = "PT24H";
  std::string alert_retention = "PT24H";
  std::string list_after_end = "PT24H";
  std::string termination_notice = "PT1S";
  std::string review_reminder = "PT1M";
  policy::Instant effective_from{};
  policy::Instant effective_until{};
  std::optional<policy::Instant> review_by;  // absent: effective_until
  policy::Instant attachment_until{};        // of the DPIA and the appropriate policy document
};

std::string WriteAgreement(const AgreementText& text);

}  // namespace comity::testing
