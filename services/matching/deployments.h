// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/base/random.h"
#include "crypto/base/result.h"
#include "policy/model/ids.h"
#include "policy/model/instant.h"
#include "services/audit/journal.h"
#include "services/matching/answer_barrier.h"
#include "services/matching/deployment.h"
#include "services/runtime/clock.h"
#include "services/store/store.h"

namespace comity::matching {

struct DeploymentStatus {
  policy::DeploymentId id;
  std::shared_ptr<const Deployment> definition;
  policy::Instant created_at{};
  std::string created_by;  // the person's id
  DeploymentPhase phase{};
};

// The requester's deployments. Who answers a probe holds a ticket of the barrier from before it
// looks at the phase until the answer is given.
//
// Threads: thread-safe.
class Deployments {
 public:
  // All must outlive this object; `journal` writes to `store`.
  struct Ports {
    policy::AgencyId own_agency;
    const store::Store& store;
    audit::Journal& journal;
    const runtime::Clock& clock;
    RandomSource& random;
    AnswerBarrier& barrier;
    std::size_t max_unfinished = 64;  // planned and active ones together
  };
  // While it lives, `on_stop` is called when the deployment is stopped: once, from the thread that
  // stops it, with no lock held. A call that has begun may outlast the subscription, so the
  // function must own what it touches.
  class Subscription {
   public:
    Subscription() = default;
    Subscription(Subscription&& other) noexcept;
    Subscription& operator=(Subscription&& other) noexcept;
    ~Subscription();

   private:
    friend class Deployments;
    Subscription(Deployments* owner, std::uint64_t key) : owner_(owner), key_(key) {}
    Deployments* owner_ = nullptr;  // must outlive the subscription
    std::uint64_t key_ = 0;
  };

  // Reads what the store holds.
  // Errors: kCorrupt  a stored definition cannot be read; those of the store
  static Result<std::unique_ptr<Deployments>> Open(Ports ports);

  // Stores and logs it; durable on return.
  // Errors: kInvalidArgument  CheckDeployment; kExhausted  too many unfinished; those of the
  // journal
  Result<DeploymentStatus> Create(const Deployment& definition, std::string_view operator_id);
  // Errors: kNotFound
  Result<DeploymentStatus> Find(const policy::DeploymentId& id) const;
  std::vector<DeploymentStatus> List() const;  // newest first
  // Once this has returned no probe of it is answered. Must not be called by a thread that holds a
  // ticket of the barrier.
  // Errors: kNotFound; kConflict  stopped or over already; kInvalidArgument  reason not 1..1000
  //         octets; those of the journal
  Status Stop(const policy::DeploymentId& id, std::string_view reason,
              std::string_view operator_id);
  // Errors: kNotFound; kConflict  stopped already
  Result<Subscription> OnStop(const policy::DeploymentId& id, std::function<void()> on_stop);

 private:
  struct Item {
    std::shared_ptr<const Deployment> definition;
    policy::Instant created_at{};
    std::string created_by;
    bool stopped = false;
  };
  struct Listener {
    policy::DeploymentId id;
    std::shared_ptr<const std::function<void()>> call;
  };
  explicit Deployments(Ports ports) : ports_(std::move(ports)) {}
  DeploymentStatus StatusOf(const policy::DeploymentId& id, const Item& item) const;
  Status Load();
  Status CheckRoom(policy::Instant now) const;
  void Cancel(std::uint64_t key);
  std::vector<std::shared_ptr<const std::function<void()>>> MarkStopped(
      const policy::DeploymentId& id);

  const Ports ports_;
  mutable std::mutex mutex_;  // guards the members below
  std::map<policy::DeploymentId, Item> items_;
  std::map<std::uint64_t, Listener> listeners_;
  std::uint64_t next_key_ = 1;
};

}  // namespace comity::matching
