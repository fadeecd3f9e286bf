// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
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
  std::uint32_t hit_cap = 100;
  std::uint64_t probes_per_day = 1'000'000;
  policy::Instant effective_from{};
  policy::Instant effective_until{};
  policy::Instant attachment_until{};  // of the DPIA and the appropriate policy document
};

std::string WriteAgreement(const AgreementText& text);

}  // namespace comity::testing
