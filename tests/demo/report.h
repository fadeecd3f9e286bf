// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

namespace comity::demo {

// One request that had to be refused, tried once: through the honest requester or by a requester
// that does not check.
struct Refusal {
  std::string name;       // the case, e.g. wrong-purpose
  std::string by;         // the agency whose gateway refused
  std::string requester;  // honest, unchecked
  std::string code;       // reason code
  std::optional<std::string> agreement;
  std::optional<std::string> clause;  // the most specific one
  std::string expected_by;
  std::string expected_code;
  bool as_expected() const { return by == expected_by && code == expected_code; }
};

struct AuditResult {
  std::string agency;
  std::uint64_t entries = 0;
  bool verified = false;
  bool tampering_found = false;  // a copy with one flipped bit was rejected
  std::string export_folder;
};

// One holder's part in a search of several.
struct FanoutAnswer {
  std::string holder;
  std::string status;  // answered, refused, unanswered
  std::uint64_t ms = 0;
};

// What the demo measured. `--report` writes it as JSON.
struct Report {
  std::string mode = "sealed";
  std::string store = "sqlite";
  double threshold = 0;
  std::uint64_t entries = 0;
  std::uint32_t dimension = 0;
  std::uint64_t faces = 0;
  std::uint64_t mated = 0;
  std::uint64_t mated_found = 0;        // own entry at or above the threshold
  std::uint64_t non_mated_alerted = 0;  // any entry at or above the threshold
  std::uint64_t hits = 0;
  std::uint64_t alerts = 0;          // stored, frames of one face merged
  std::uint64_t true_alerts = 0;     // the first frame's identity is the entry's
  std::uint64_t asked_again = 0;     // frames: budgets of the list were spent at the moment
  std::uint64_t unanswered = 0;      // faces, at the end
  double seconds = 0;                // first send to last answer
  std::vector<double> latencies_ms;  // engine's send to answer, a face
  std::vector<Refusal> refused;
  std::vector<AuditResult> audit;
  std::uint64_t agencies = 0;
  std::uint64_t approvals = 0;       // acts done by two people, all agencies
  double withdrawal_ms = 0;          // from the command to the partner's signed receipt
  std::vector<FanoutAnswer> fanout;  // one holder's gateway was killed

  double tpir() const;
  double fpir() const;
  double latency_ms(double quantile) const;
  double comparisons_per_second() const;
  nlohmann::ordered_json ToJson() const;
};

}  // namespace comity::demo
