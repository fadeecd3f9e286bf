// SPDX-License-Identifier: Apache-2.0
#include "services/matching/period_counts.h"

namespace comity::matching {

void PeriodCounts::Answered(std::uint64_t hits) {
  ++answered_;
  hits_ += static_cast<std::int64_t>(hits);
}

void PeriodCounts::Refused(policy::ReasonCode code) {
  ++refused_[code];
}

std::map<std::string, std::int64_t> PeriodCounts::AsCounts() const {
  std::map<std::string, std::int64_t> counts{
      {"faces", faces_}, {"hits", hits_}, {"answered", answered_}, {"unanswered", unanswered_}};
  std::int64_t refused = 0;
  for (const auto& [code, count] : refused_) {
    counts["refused-" + std::string(policy::Name(code))] = count;
    refused += count;
  }
  counts["refused"] = refused;
  return counts;
}

}  // namespace comity::matching
