// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <deque>
#include <map>
#include <memory>
#include <set>
#include <stop_token>
#include <thread>
#include <utility>

#include "services/gateway/agency/deployment_holders.h"
#include "services/gateway/federation/peer_links.h"
#include "services/matching/deployments.h"
#include "services/matching/list_validations.h"
#include "services/matching/requester_session.h"
#include "services/runtime/guarded.h"
#include "services/runtime/logging.h"

namespace comity::gateway {

// Activates deployments when their time comes: asks each holder to validate its lists (WL-5), again
// and again while one has not, and each in a thread of its own, so that one that is out of reach
// delays nobody. Ends those that are over.
//
// Threads: thread-safe.
class DeploymentKeeper {
 public:
  struct Ports {
    policy::AgencyId self;
    matching::Deployments& deployments;
    matching::ListValidations& validations;
    const PeerLinks& peers;
    const matching::RequesterPorts& search;
    runtime::Logger& logger;
  };
  // References must outlive the object.
  explicit DeploymentKeeper(Ports ports);
  ~DeploymentKeeper();

  // Looks at once whether something is to be done.
  void Poke();
  // Waits until each holder of an active deployment was asked once, at most so long.
  void Await(const policy::DeploymentId& deployment, std::chrono::milliseconds patience);

 private:
  using Key = std::pair<policy::DeploymentId, policy::AgencyId>;
  using SteadyTime = std::chrono::steady_clock::time_point;
  struct Task {
    matching::DeploymentStatus deployment;
    AskedHolder asked;
  };
  // Asks one holder.
  struct Asker {
    runtime::Watched<std::deque<Task>> tasks;
    std::jthread thread;  // last: it ends before what it uses
  };
  // When a holder is asked again, and how long it is waited for after that.
  struct Attempt {
    SteadyTime next{};
    std::chrono::seconds pause{};
  };
  struct Progress {
    std::set<Key> under_way;
    std::map<Key, Attempt> attempts;
    std::set<policy::DeploymentId> asked;  // each of its holders was asked once
    bool poked = false;
  };

  void Keep(const std::stop_token& stop);
  void Look();
  void LookAt(const matching::DeploymentStatus& deployment);
  bool IsDue(const matching::DeploymentStatus& deployment, const AskedHolder& asked);
  void Give(Task task);
  void Serve(Asker& asker, const std::stop_token& stop);
  void Ask(const Task& task, const std::stop_token& stop);
  Result<matching::ListValidations::Standing> AskOnce(const Task& task,
                                                      const std::stop_token& stop);

  const Ports ports_;
  runtime::Watched<Progress> progress_;
  std::map<policy::AgencyId, std::unique_ptr<Asker>> askers_;  // the keeping thread's
  std::jthread thread_;
};

}  // namespace comity::gateway
