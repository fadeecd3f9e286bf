// SPDX-License-Identifier: Apache-2.0
#include "services/gateway/federation/track_book.h"

namespace comity::gateway {

TrackBook::Track& TrackBook::At(const std::string& track) {
  const auto [entry, is_new] = tracks_.try_emplace(track);
  if (is_new) {
    order_.push_front(track);
    entry->second.place = order_.begin();
  } else {
    order_.splice(order_.begin(), order_, entry->second.place);
  }
  if (tracks_.size() > kMostTracks) {
    tracks_.erase(order_.back());
    order_.pop_back();
  }
  return entry->second;
}

bool TrackBook::Take(const std::string& track) {
  Track& entry = At(track);
  if (entry.probes >= kMostProbes) return false;
  ++entry.probes;
  return true;
}

void TrackBook::GiveBack(const std::string& track) {
  const auto entry = tracks_.find(track);
  if (entry != tracks_.end() && entry->second.probes > 0) --entry->second.probes;
}

v1::WatchAnswer TrackBook::Spent(const std::string& track) const {
  v1::WatchAnswer answer;
  const auto entry = tracks_.find(track);
  if (entry == tracks_.end() || !entry->second.last) {
    answer.mutable_unanswered()->set_reason(v1::Unanswered::REASON_TRACK_SPENT);
    return answer;
  }
  *answer.mutable_answered() = *entry->second.last;
  for (v1::AlertRef& alert : *answer.mutable_answered()->mutable_alerts()) alert.set_merged(true);
  return answer;
}

void TrackBook::NoteAnswer(const std::string& track, const v1::Answered& answered) {
  const auto entry = tracks_.find(track);
  if (entry == tracks_.end()) return;
  // A hit of one frame is worth more than a miss of the next.
  const bool had_hit = entry->second.last && entry->second.last->alerts_size() > 0;
  if (answered.alerts_size() > 0 || !had_hit) entry->second.last = answered;
}

TrackBook::Pseudonym TrackBook::PseudonymOf(const std::string& track, const std::string& session) {
  Track& entry = At(track);
  if (entry.session != session) {
    entry.session = session;
    random_.Fill(entry.pseudonym);
  }
  return entry.pseudonym;
}

}  // namespace comity::gateway
