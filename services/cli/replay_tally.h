// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <utility>

#include "comity/v1/recognition.pb.h"
#include "services/cli/latency_histogram.h"

namespace comity::cli {

// What one holder answered in one mode.
struct HolderTally {
  LatencyHistogram answered;  // from a face's due time to the answer of a holder that searched
  std::uint64_t alerts = 0;   // hits that became an alert
  std::uint64_t merged = 0;   // further frames of an alert that existed
  std::map<std::string, std::uint64_t> refused;     // by code
  std::map<std::string, std::uint64_t> unanswered;  // by reason
};

// All that answers are remembered by; no face is. Memory grows with holders and codes only.
//
// Threads: thread-compatible.
class ReplayTally {
 public:
  // In: late  from the face's due time to the arrival of the answer
  void Add(const v1::WatchAnswer& answer, std::chrono::microseconds late);
  void Merge(const ReplayTally& other);

  // By holder and mode ("direct", "sealed", or "" where none was said).
  using Holders = std::map<std::pair<std::string, std::string>, HolderTally>;
  const Holders& holders() const { return holders_; }
  std::uint64_t answers() const { return answers_; }    // of any kind
  std::uint64_t searched() const { return searched_; }  // those of holders that searched

 private:
  Holders holders_;
  std::uint64_t answers_ = 0;
  std::uint64_t searched_ = 0;
};

}  // namespace comity::cli
