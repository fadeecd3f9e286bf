// SPDX-License-Identifier: Apache-2.0
#include "services/identity/peer_contact.h"

#include <utility>

namespace comity::identity {

using policy::Instant;

PeerContact::PeerContact(store::PeerContactRecord record, std::chrono::seconds patience,
                         Instant now)
    : record_(std::move(record)), patience_(patience), heard_at_(now) {}

PeerContact::Change PeerContact::Heard(const PeerWord& word, std::chrono::milliseconds clock_skew,
                                       Instant now) {
  heard_at_ = now;
  clock_skew_ = clock_skew;
  const store::PeerContactRecord before =
      std::exchange(record_, {record_.agency, now, std::nullopt, false, word.state_there,
                              word.keys_there, word.protocol, word.software, word.capabilities});
  if (before.away_since) {
    away_for_ = std::chrono::floor<std::chrono::seconds>(now - *before.away_since);
    if (away_for_ < std::chrono::seconds(0)) away_for_ = {};  // the clock was set back
    return Change::kReturned;
  }
  const bool same = before.last_seen && before.state_there == record_.state_there &&
                    before.keys_there == record_.keys_there &&
                    before.protocol == record_.protocol && before.software == record_.software &&
                    before.capabilities == record_.capabilities;
  return same ? Change::kNone : Change::kLearnt;
}

PeerContact::Change PeerContact::Go(bool planned, Instant now) {
  record_.away_since = now;
  record_.planned = planned;
  return Change::kAway;
}

PeerContact::Change PeerContact::Leaving(Instant now) {
  if (!record_.last_seen) record_.last_seen = now;
  if (!record_.away_since) return Go(true, now);
  return Change::kNone;
}

PeerContact::Change PeerContact::Silent(Instant now) {
  if (now < heard_at_) heard_at_ = now;  // the clock was set back: patience begins anew
  if (!record_.last_seen || record_.away_since || now - heard_at_ < patience_) {
    return Change::kNone;
  }
  // Since the last answer, not since the moment it was noticed.
  return Go(false, heard_at_);
}

PeerContact::Presence PeerContact::presence() const {
  if (record_.away_since) return record_.planned ? Presence::kPlannedAway : Presence::kAway;
  return record_.last_seen ? Presence::kPresent : Presence::kUnknown;
}

std::string_view Name(PeerContact::Presence presence) {
  switch (presence) {
    case PeerContact::Presence::kPresent:
      return "present";
    case PeerContact::Presence::kAway:
      return "away";
    case PeerContact::Presence::kPlannedAway:
      return "planned-away";
    case PeerContact::Presence::kUnknown:
      break;
  }
  return "unknown";
}

}  // namespace comity::identity
