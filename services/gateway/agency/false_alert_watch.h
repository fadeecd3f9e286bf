// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "services/casework/outcome_observer.h"
#include "services/identity/notices.h"
#include "services/matching/deployments.h"
#include "services/matching/list_validations.h"
#include "services/oversight/stops.h"

namespace comity::gateway {

// Counts the false alerts of each deployment in the unit of work that records the outcome, warns
// when half of its budget is used, and stops it when all of it is (SM-7).
//
// Threads: thread-safe.
class FalseAlertWatch final : public casework::OutcomeObserver {
 public:
  struct Ports {
    policy::AgencyId self;
    matching::Deployments& deployments;
    oversight::Stops& stops;
    identity::Notices& notices;
    matching::AnswerBarrier& barrier;
    const runtime::Clock& clock;
  };
  // References must outlive the object.
  explicit FalseAlertWatch(Ports ports) : ports_(std::move(ports)) {}

  Status OnOutcome(store::Transaction& transaction, audit::Recorder& recorder,
                   const casework::Alert& alert) override;
  // On return a deployment whose budget is used up answers nothing any more.
  void AfterOutcome(const casework::Alert& alert) override;

 private:
  Status WarnOfShare(store::Transaction& transaction, audit::Recorder& recorder,
                     const matching::DeploymentStatus& deployment,
                     const policy::AgencyId& holder) const;
  Status Stop(store::Transaction& transaction, audit::Recorder& recorder,
              const matching::DeploymentStatus& deployment) const;

  const Ports ports_;
};

}  // namespace comity::gateway
