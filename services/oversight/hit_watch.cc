// SPDX-License-Identifier: Apache-2.0
#include "services/oversight/hit_watch.h"

#include <algorithm>
#include <iterator>

namespace comity::oversight {

std::string_view Name(HitAlarm::Kind kind) {
  switch (kind) {
    case HitAlarm::Kind::kHitRate:
      return "hit-rate";
    case HitAlarm::Kind::kRepeatedHits:
      return "repeated-hits";
    case HitAlarm::Kind::kManyEntries:
      return "many-entries";
    case HitAlarm::Kind::kOverCap:
      return "over-cap";
  }
  return "unknown";
}

std::string Describe(const HitAlarm& alarm) {
  const std::string window = " within " + std::to_string(alarm.window.count()) + " s";
  switch (alarm.kind) {
    case HitAlarm::Kind::kHitRate:
      return std::to_string(alarm.hits) + " of " + std::to_string(alarm.probes) + " probes hit" +
             window;
    case HitAlarm::Kind::kRepeatedHits:
      return "one entry was hit " + std::to_string(alarm.hits) + " times" + window;
    case HitAlarm::Kind::kManyEntries:
      return "more than " + std::to_string(alarm.hits) + " entries were hit" + window;
    case HitAlarm::Kind::kOverCap:
      return "one sealed probe met more entries than the agreement permits, or was no honest one";
  }
  return {};
}

HitWatch::HitWatch(const policy::Alarms& bounds)
    : bounds_(bounds), probes_(bounds.hit_rate_window), hits_(bounds.hit_rate_window) {}

void HitWatch::ForgetEntries(policy::Instant now) {
  for (auto item = entries_.begin(); item != entries_.end();) {
    item = item->second.Sum(now) == 0 ? entries_.erase(item) : std::next(item);
  }
}

void HitWatch::AddHit(policy::Instant at, std::span<const Digest> entries) {
  hits_.Add(at, 1);
  for (const Digest& entry : entries) {
    const auto found = entries_.find(entry);
    if (found != entries_.end()) {
      found->second.Add(at, 1);
      continue;
    }
    if (entries_.size() >= kMaxEntries) ForgetEntries(at);
    // One more than may be kept is kept: Check sees it.
    if (entries_.size() > kMaxEntries) continue;
    entries_.emplace(entry, SlidingCount(bounds_.repeated_hits_window)).first->second.Add(at, 1);
  }
}

std::optional<HitAlarm> HitWatch::Check(policy::Instant now, std::span<const Digest> entries) {
  const std::uint64_t hits = hits_.Sum(now);
  const std::uint64_t probes = probes_.Sum(now);
  const auto base = static_cast<double>(std::max(probes, kLeastProbes));
  if (static_cast<double>(hits) * 100.0 > bounds_.hit_rate_percent * base) {
    return HitAlarm{HitAlarm::Kind::kHitRate, hits, probes, bounds_.hit_rate_window};
  }
  for (const Digest& entry : entries) {
    const auto found = entries_.find(entry);
    if (found == entries_.end()) continue;
    const std::uint64_t repeats = found->second.Sum(now);
    if (repeats >= bounds_.repeated_hits_of_entry) {
      return HitAlarm{HitAlarm::Kind::kRepeatedHits, repeats, 0, bounds_.repeated_hits_window};
    }
  }
  if (entries_.size() > kMaxEntries) ForgetEntries(now);
  if (entries_.size() > kMaxEntries) {
    return HitAlarm{HitAlarm::Kind::kManyEntries, kMaxEntries, 0, bounds_.repeated_hits_window};
  }
  return std::nullopt;
}

}  // namespace comity::oversight
