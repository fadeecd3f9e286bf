// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/base/bytes.h"
#include "crypto/base/result.h"
#include "policy/model/decision.h"
#include "policy/model/ids.h"
#include "policy/model/instant.h"

namespace comity::store {

// Something that happens once in the life of an agreement version and was done: people were
// reminded of its review, its end was acted upon.
struct AgreementMark {
  policy::AgreementRef agreement;
  std::string mark;  // 1..32, a name of services/agreements/life.h
  policy::Instant at{};
};

// The status of an agreement version as the other party last said that it computes it.
struct PeerStatusRecord {
  policy::AgreementRef agreement;
  policy::AgencyId peer;
  std::string status;  // 1..32
  policy::Instant at{};
};

// Threads: see store.h.
class AgreementLifeStore {
 public:
  virtual ~AgreementLifeStore() = default;
  // Errors: kConflict  the version has this mark
  virtual Status Mark(const AgreementMark& mark) = 0;
  virtual Result<std::vector<AgreementMark>> Marks() const = 0;
  // Inserts or replaces what this peer says of this version.
  virtual Status PutPeerStatus(const PeerStatusRecord& status) = 0;
  virtual Result<std::vector<PeerStatusRecord>> PeerStatuses() const = 0;
};

}  // namespace comity::store
