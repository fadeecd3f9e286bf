// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "policy/model/ids.h"
#include "policy/model/instant.h"
#include "services/store/peer_store.h"

namespace comity::identity {

// What a partner said of itself and of this agency, when it was heard last.
struct PeerWord {
  std::string state_there;              // active, suspended
  std::vector<std::string> keys_there;  // ids of this agency's keys that it accepts
  std::uint32_t protocol = 0;
  std::string software;
  std::vector<std::string> capabilities;
};

// Whether a partner answers: heard within a time or away, by plan or not (SM-13). A partner that
// was never heard is neither: it may not have enrolled this agency yet.
//
// Threads: thread-compatible.
class PeerContact {
 public:
  enum class Change { kNone, kLearnt, kAway, kReturned };
  enum class Presence { kUnknown, kPresent, kAway, kPlannedAway };

  // In:     record  as stored; a partner that was present has `patience` from `now` to be heard
  PeerContact(store::PeerContactRecord record, std::chrono::seconds patience, policy::Instant now);

  // It was heard. kReturned: it had been away for away_for(). kLearnt: it said something new.
  Change Heard(const PeerWord& word, std::chrono::milliseconds clock_skew, policy::Instant now);
  // It says that it stops now.
  Change Leaving(policy::Instant now);
  // A call to it failed.
  Change Silent(policy::Instant now);

  Presence presence() const;
  std::chrono::seconds away_for() const { return away_for_; }  // of the outage that ended last
  std::chrono::milliseconds clock_skew() const { return clock_skew_; }
  const store::PeerContactRecord& record() const { return record_; }

 private:
  Change Go(bool planned, policy::Instant now);

  store::PeerContactRecord record_;
  std::chrono::seconds patience_;
  policy::Instant heard_at_;
  std::chrono::seconds away_for_{0};
  std::chrono::milliseconds clock_skew_{0};
};

std::string_view Name(PeerContact::Presence presence);  // present, away, planned-away, unknown

}  // namespace comity::identity
