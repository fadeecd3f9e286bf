// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
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
#include "services/identity/lone_acts.h"
#include "services/matching/answer_barrier.h"
#include "services/matching/deployment.h"
#include "services/matching/deployment_tally.h"
#include "services/runtime/clock.h"
#include "services/store/deployment_store.h"
#include "services/store/store.h"

namespace comity::matching {

struct DeploymentStatus {
  policy::DeploymentId id;
  std::shared_ptr<const Deployment> definition;
  policy::Instant created_at{};
  std::string created_by;   // person id of who proposed it
  std::string approved_by;  // person id
  DeploymentPhase phase{};
  std::optional<policy::Instant> activated_at;
  std::optional<policy::Instant> ended_at;
  std::optional<policy::Instant> deletion_due_at;
  std::optional<policy::Instant> closed_at;
  std::uint64_t faces = 0;
  std::uint64_t alerts = 0;
  std::uint64_t false_alerts = 0;
};

// The requester's deployments and their life: approved (planned, then active by the clock), stopped
// or over, closed when what they gathered is deleted. Those that are not at an end are in memory;
// of the others the store knows.
//
// Threads: thread-safe.
class Deployments {
 public:
  static constexpr std::chrono::hours kDeletionTime{24};  // after the end (WL-12)

  // All must outlive this object; `journal` writes to `store`.
  struct Ports {
    policy::AgencyId own_agency;
    const store::Store& store;
    audit::Journal& journal;
    const runtime::Clock& clock;
    RandomSource& random;
    AnswerBarrier& barrier;
    std::size_t max_unfinished = 64;  // planned and active ones together
    // Tells those who oversee of what a person stops; null: nobody is told.
    const identity::LoneActs* lone_acts = nullptr;
  };
  // While it lives, `on_end` is called when the deployment is stopped, over or changed: once, with
  // no lock held. A call that has begun may outlast the subscription, so the function must own what
  // it touches.
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
  // Two people's decision about a deployment.
  struct Decided {
    policy::DeploymentId id;
    Deployment definition;
    std::string reason;  // of a change
    std::string proposed_by;
    std::string approved_by;
  };

  // Reads what the store holds; nothing if it is not to be trusted (services/store/bound_tables.h).
  // Errors: kCorrupt  a stored definition cannot be read; those of the store
  static Result<std::unique_ptr<Deployments>> Open(Ports ports);

  policy::DeploymentId NewId() const;
  // Whether it could be started now.
  // Errors: kInvalidArgument  CheckDeployment; kExhausted  too many unfinished
  Status CheckProposal(const Deployment& definition) const;
  // Within the unit of work of the approval: stores and logs it. Refresh() afterwards.
  // Errors: those of CheckProposal; kConflict  the id is taken
  Status Start(store::Transaction& transaction, audit::Recorder& recorder,
               const Decided& decided) const;
  // The same with another definition for a planned or active one.
  // Errors: kNotFound; kConflict  stopped or over
  Status Change(store::Transaction& transaction, audit::Recorder& recorder,
                const Decided& decided) const;
  // Takes over what the store holds of it; a changed one's streams end. On return no probe is
  // answered by what it was before. Must not be called by a thread that holds a ticket of the
  // barrier.
  Status Refresh(const policy::DeploymentId& id);

  // Errors: kNotFound
  Result<DeploymentStatus> Find(const policy::DeploymentId& id) const;
  Result<std::vector<DeploymentStatus>> List(std::uint32_t limit) const;  // newest first
  std::vector<DeploymentStatus> Unfinished() const;                       // planned and active
  // From memory alone: for every probe.
  bool IsActive(const policy::DeploymentId& id) const;

  // For good. Once this has returned no probe of it is answered. Must not be called by a thread
  // that holds a ticket of the barrier.
  // Errors: kNotFound; kConflict  stopped or over already; kInvalidArgument  reason not 1..1000
  //         octets; those of the journal
  Status Stop(const policy::DeploymentId& id, std::string_view reason,
              std::string_view operator_id);
  // Errors: kNotFound; kConflict  stopped or over
  Result<Subscription> OnEnd(const policy::DeploymentId& id, std::function<void()> on_end);

  // Where its streams count. Errors: kNotFound  not planned or active
  Result<std::shared_ptr<DeploymentTally>> TallyOf(const policy::DeploymentId& id) const;
  // Within a unit of work: one more false alert. Returns the deployment with its counts as they are
  // then. Refresh() afterwards.
  // Errors: kNotFound
  Result<DeploymentStatus> CountFalseAlert(store::Transaction& transaction,
                                           const policy::DeploymentId& id,
                                           const policy::AgencyId& holder) const;

  // Its time has come and its `holders` were asked; once in its life.
  Status Activate(const policy::DeploymentId& id, std::uint64_t holders);
  // Forgets every deployment, so that nothing is searched in any: their records are not to be
  // trusted any more. Returns when every answer that rests on them has been given.
  void Distrust();
  // Stores counts, ends what is over, closes what is deleted. About every ten seconds, and when the
  // gateway stops.
  Status Housekeep();

 private:
  struct Item {
    store::DeploymentRecord record;
    std::shared_ptr<const Deployment> definition;
    std::shared_ptr<DeploymentTally> tally;
  };
  struct Listener {
    policy::DeploymentId id;
    std::shared_ptr<const std::function<void()>> call;
  };
  using Calls = std::vector<std::shared_ptr<const std::function<void()>>>;

  explicit Deployments(Ports ports) : ports_(std::move(ports)) {}
  Result<Item> ItemOf(store::DeploymentRecord record) const;
  DeploymentStatus StatusOf(const Item& item) const;
  Status CheckRoom(std::size_t unfinished) const;
  audit::Event EventOf(std::string_view type, const policy::DeploymentId& id) const;
  // How a deployment ends: the state it goes to, when, and the event that says so.
  struct Ending {
    store::DeploymentState state{};
    policy::Instant at{};
    audit::Event event;
  };
  Status End(const policy::DeploymentId& id, Ending ending);
  Status CloseDeleted();
  Status SaveCounts(const policy::DeploymentId& id, const std::shared_ptr<DeploymentTally>& tally);
  void Cancel(std::uint64_t key);
  Calls TakeListeners(const policy::DeploymentId& id);

  const Ports ports_;
  std::mutex refresh_mutex_;  // one Refresh() at a time: the last one that ends has read last
  mutable std::mutex mutex_;  // guards the members below
  std::map<policy::DeploymentId, Item> items_;
  std::map<std::uint64_t, Listener> listeners_;
  std::uint64_t next_key_ = 1;
};

}  // namespace comity::matching
