// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <vector>

#include "crypto/base/result.h"
#include "policy/model/ids.h"
#include "policy/model/instant.h"

namespace comity::store {

// kActive: approved, and neither stopped nor over; planned until its time comes.
enum class DeploymentState { kActive = 1, kStopped = 2, kOver = 3, kClosed = 4 };

struct DeploymentRecord {
  policy::DeploymentId id;
  DeploymentState state = DeploymentState::kActive;
  policy::Instant created_at{};  // approved
  policy::Instant starts_at{};
  policy::Instant ends_at{};
  std::string created_by;   // person id of who proposed it
  std::string approved_by;  // person id; empty in records of before approvals
  std::string definition;   // canonical JSON (services/matching/deployment.h)
  std::optional<policy::Instant> activated_at;
  std::optional<policy::Instant> ended_at;  // stopped or over
  std::optional<policy::Instant> deletion_due_at;
  std::optional<policy::Instant> closed_at;
  std::uint64_t faces = 0;
  std::uint64_t alerts = 0;
  std::uint64_t false_alerts = 0;  // adjudicated `not-a-match`
};

// How one holder of a deployment stands.
enum class HolderState { kWaiting = 1, kValidated = 2, kStale = 3, kRefused = 4, kUnreachable = 5 };

struct DeploymentHolderRecord {
  policy::DeploymentId deployment;
  policy::AgencyId holder;
  HolderState state = HolderState::kWaiting;
  std::string reason;  // for people, 0..500
  policy::Instant checked_at{};
  std::optional<policy::Instant> validated_at;  // of the holder's lists
  std::uint64_t entries = 0;
  std::uint64_t alerts = 0;
  std::uint64_t false_alerts = 0;
};

// Threads: see store.h.
class DeploymentStore {
 public:
  virtual ~DeploymentStore() = default;
  // Errors: kConflict  the id is taken
  virtual Status Add(const DeploymentRecord& deployment) = 0;
  // Replaces state, definition and instants (not the counts) of this id, if it stands in `from`.
  // Errors: kNotFound; kConflict  it stands in another state
  virtual Status Change(const DeploymentRecord& deployment, DeploymentState from) = 0;
  // Errors of both: kNotFound  no such deployment
  virtual Status AddCounts(const policy::DeploymentId& id, std::uint64_t faces,
                           std::uint64_t alerts) = 0;
  // One more false alert, in all and of this holder; returns the deployment as it is then.
  virtual Result<DeploymentRecord> AddFalseAlert(const policy::DeploymentId& id,
                                                 const policy::AgencyId& holder) = 0;
  // Inserts or replaces what is known of a holder, but for its counts.
  virtual Status PutHolder(const DeploymentHolderRecord& holder) = 0;
  virtual Status AddHolderAlerts(const policy::DeploymentId& id, const policy::AgencyId& holder,
                                 std::uint64_t alerts) = 0;
  // Errors: kNotFound
  virtual Result<DeploymentRecord> Get(const policy::DeploymentId& id) const = 0;
  virtual Result<std::vector<DeploymentHolderRecord>> Holders(
      const policy::DeploymentId& id) const = 0;  // by agency id
  // In the order they were added.
  virtual Result<std::vector<DeploymentRecord>> InState(
      std::initializer_list<DeploymentState> states) const = 0;
  virtual Result<std::vector<DeploymentRecord>> Newest(std::uint32_t limit) const = 0;
};

}  // namespace comity::store
