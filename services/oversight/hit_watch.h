// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>

#include "crypto/base/bytes.h"
#include "policy/model/agreement.h"
#include "policy/model/instant.h"
#include "services/oversight/sliding_count.h"

namespace comity::oversight {

// What looks like harvesting a list (SM-11): hit and no-hit tell who is on it.
struct HitAlarm {
  enum class Kind { kHitRate, kRepeatedHits, kManyEntries, kOverCap };
  Kind kind{};
  std::uint64_t hits = 0;    // probes that hit; of kRepeatedHits: of the one entry
  std::uint64_t probes = 0;  // of kHitRate
  std::chrono::seconds window{};
};
std::string_view Name(HitAlarm::Kind kind);  // "hit-rate", "repeated-hits" ...
// "31 of 200 probes hit within 3600 s"
std::string Describe(const HitAlarm& alarm);

// Counts the probes and hits of one requester, officer or case against the bounds of a permission.
// Pure: it is given the time, and holds no more than kMaxEntries entries.
//
// Threads: thread-compatible.
class HitWatch {
 public:
  // A rate needs something to be taken of: below so many probes it is taken as if of so many.
  static constexpr std::uint64_t kLeastProbes = 100;
  static constexpr std::size_t kMaxEntries = 10'000;

  explicit HitWatch(const policy::Alarms& bounds);
  const policy::Alarms& bounds() const { return bounds_; }

  // Probes that were answered, whether they hit or not.
  void AddProbes(policy::Instant at, std::uint64_t count) { probes_.Add(at, count); }
  // A probe, counted by AddProbes already, that hit these entries.
  void AddHit(policy::Instant at, std::span<const Digest> entries);
  // What is beyond the bounds at `now`, if anything is. After AddHit, with the same instant: only
  // the entries that were hit last are looked at.
  std::optional<HitAlarm> Check(policy::Instant now, std::span<const Digest> entries);

 private:
  void ForgetEntries(policy::Instant now);

  policy::Alarms bounds_;
  SlidingCount probes_;
  SlidingCount hits_;
  std::map<Digest, SlidingCount> entries_;
};

}  // namespace comity::oversight
