// SPDX-License-Identifier: Apache-2.0
#include "services/matching/track_counts.h"

namespace comity::matching {

bool TrackCounts::IsCounted(const Track& track, std::span<const std::string> entries) {
  const auto [found, is_new] = seen_.try_emplace(track);
  if (is_new) {
    order_.push_back(track);
    if (order_.size() > kMostTracks) {
      seen_.erase(order_.front());
      order_.pop_front();
    }
  }
  Seen& seen = found->second;
  ++seen.probes;
  bool counted = !is_new && seen.probes <= kMostProbes;
  for (const std::string& entry : entries) {
    if (seen.entries.insert(entry).second) counted = false;
  }
  return counted;
}

}  // namespace comity::matching
