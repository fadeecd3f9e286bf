// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "crypto/base/result.h"
#include "policy/model/ids.h"
#include "policy/model/instant.h"

namespace comity::store {

// kSelf: this agency's own keys, kept like a partner's.
enum class PeerState { kActive = 1, kSuspended = 2, kRemoved = 3, kSelf = 4 };

// A partner agency. Everything that is known of it stands in `vouched`, which the agency key signs:
// a changed database makes nobody a partner.
struct PeerRecord {
  policy::AgencyId agency;
  PeerState state = PeerState::kActive;  // as in `vouched`
  std::string vouched;                   // DSSE JSON (services/identity/peer_record.h); <= 512 KiB
  policy::Instant changed_at{};
};

// What the contact with a partner showed. It grants nothing.
struct PeerContactRecord {
  policy::AgencyId agency;
  std::optional<policy::Instant> last_seen;   // stored when it comes and goes, not at each contact
  std::optional<policy::Instant> away_since;  // absent: it answers
  bool planned = false;                       // it said before that it would stop
  std::string state_there;                    // what this agency is to it; empty: not known
  std::vector<std::string> keys_there;        // which keys of this agency it accepts, as ids
  std::uint32_t protocol = 0;
  std::string software;
  std::vector<std::string> capabilities;
};

// Partner agencies and their keys. Threads: see store.h.
class PeerStore {
 public:
  virtual ~PeerStore() = default;
  // Inserts or replaces the record of this agency.
  virtual Status Put(const PeerRecord& peer) = 0;
  virtual Result<std::vector<PeerRecord>> All() const = 0;  // by agency
  // Inserts or replaces the contact of this agency.
  virtual Status PutContact(const PeerContactRecord& contact) = 0;
  virtual Result<std::vector<PeerContactRecord>> Contacts() const = 0;  // by agency
};

}  // namespace comity::store
