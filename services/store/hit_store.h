// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/base/bytes.h"
#include "crypto/base/result.h"
#include "policy/model/instant.h"

namespace comity::store {

// One entry that a probe hit, as the alarms against harvesting count it.
struct HitRecord {
  std::string watch;  // under whose watch, 1..400 octets (services/oversight/hit_alarms.h)
  Digest entry;       // of the entry's reference: tells two entries apart, and nothing else
  policy::Instant at{};
  bool first = false;  // the probe's first entry: how many probes hit
};
struct ProbeCountRecord {
  std::string watch;
  policy::Instant at{};  // of the last of them
  std::uint64_t probes = 0;
};

// What the alarms count, kept no longer than their longest window, so that a restart goes on
// counting.
//
// Threads: see store.h.
class HitStore {
 public:
  virtual ~HitStore() = default;
  virtual Status AddHit(const HitRecord& hit) = 0;
  virtual Status AddProbes(const ProbeCountRecord& count) = 0;
  // Those of one watch, in the order of adding.
  virtual Result<std::vector<HitRecord>> Hits(std::string_view watch) const = 0;
  virtual Result<std::vector<ProbeCountRecord>> Probes(std::string_view watch) const = 0;
  // Drops every watch whose name begins so: counting begins anew.
  virtual Status Restart(std::string_view prefix) = 0;
  // Drops what is older, of one watch; of all when it is empty.
  virtual Status Forget(std::string_view watch, policy::Instant before) = 0;
};

}  // namespace comity::store
