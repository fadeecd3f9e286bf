// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>

#include "policy/model/decision.h"
#include "policy/model/instant.h"

namespace comity::matching {

// Numbers of one period of use: all that stays of faces that hit nothing.
//
// Threads: thread-compatible.
class PeriodCounts {
 public:
  static constexpr std::chrono::seconds kLength{10};  // a period entry at least so often

  explicit PeriodCounts(policy::Instant from) : from_(from) {}

  void Face() { ++faces_; }
  void Answered(std::uint64_t hits);
  void Refused(policy::ReasonCode code);
  void Unanswered() { ++unanswered_; }

  // True when there were faces and the period is over at `now`, or `now` says that the clock was
  // set back: else nothing would be written until it has caught up.
  bool Due(policy::Instant now) const {
    return faces_ > 0 && (now - from_ >= kLength || from_ - now >= kLength);
  }
  policy::Instant from() const { return from_; }
  // As counts of a search-period or search-closed entry.
  std::map<std::string, std::int64_t> AsCounts() const;
  void Restart(policy::Instant from) { *this = PeriodCounts(from); }

 private:
  policy::Instant from_;
  std::int64_t faces_ = 0;
  std::int64_t hits_ = 0;
  std::int64_t answered_ = 0;
  std::int64_t unanswered_ = 0;
  std::map<policy::ReasonCode, std::int64_t> refused_;
};

}  // namespace comity::matching
