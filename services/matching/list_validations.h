// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "crypto/base/bytes.h"
#include "crypto/base/result.h"
#include "policy/model/decision.h"
#include "policy/model/instant.h"
#include "services/audit/journal.h"
#include "services/matching/deployments.h"
#include "services/runtime/clock.h"
#include "services/store/deployment_store.h"
#include "services/store/store.h"

namespace comity::matching {

// What a holder said when it was asked to validate its lists for a deployment.
struct HolderValidation {
  policy::Decision decision;  // permit, or why it will not be searched
  std::uint64_t entries = 0;  // active now
  std::uint64_t stale = 0;    // not searched until somebody there has looked at them again
  // When the list that was validated longest ago was generated or validated as a whole; absent: it
  // has no list for the deployment.
  std::optional<policy::Instant> validated_at;
  std::map<std::string, Digest> messages;  // `request`, `reply`
};

// Which holders of a deployment have validated their lists (WL-5): one that has not is not
// searched. A list must have been validated no earlier than 24 hours before the deployment starts.
//
// Threads: thread-safe.
class ListValidations {
 public:
  static constexpr std::chrono::hours kOldest{24};
  using Standing = store::DeploymentHolderRecord;

  // All must outlive the object; `journal` writes to `store`.
  struct Ports {
    policy::AgencyId own_agency;
    const store::Store& store;
    audit::Journal& journal;
    const runtime::Clock& clock;
  };
  // Reads what the store holds of these deployments.
  static Result<std::unique_ptr<ListValidations>> Open(
      Ports ports, const std::vector<DeploymentStatus>& unfinished);

  // From memory alone: for every probe.
  bool IsValidated(const policy::DeploymentId& deployment, const policy::AgencyId& holder) const;
  // What is known of a holder; absent: it was never asked.
  std::optional<Standing> Find(const policy::DeploymentId& deployment,
                               const policy::AgencyId& holder) const;

  // Judges, stores and logs what the holder said; returns how it stands now. Durable on return.
  Result<Standing> Judge(const DeploymentStatus& deployment, const policy::AgencyId& holder,
                         const HolderValidation& said);
  // It could not be asked. Stored and logged when that is news.
  Result<Standing> Unreachable(const DeploymentStatus& deployment, const policy::AgencyId& holder,
                               std::string_view reason);
  // Lets go of deployments that are not among these.
  void Keep(const std::vector<DeploymentStatus>& unfinished);

  // By agency id. Errors: those of the store
  Result<std::vector<Standing>> Of(const policy::DeploymentId& deployment) const;

 private:
  using Key = std::pair<policy::DeploymentId, policy::AgencyId>;
  explicit ListValidations(Ports ports) : ports_(std::move(ports)) {}
  Status Save(const Standing& standing, const HolderValidation& said);

  const Ports ports_;
  mutable std::mutex mutex_;  // guards standings_
  std::map<Key, Standing> standings_;
};

}  // namespace comity::matching
