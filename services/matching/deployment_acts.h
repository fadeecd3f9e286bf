// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "services/identity/approvals.h"
#include "services/matching/deployment_proposal.h"
#include "services/matching/deployments.h"

namespace comity::matching {

// Carries out the act deployment-start: content of deployment_proposal.h.
//
// Threads: thread-safe.
class DeploymentStart final : public identity::ActHandler {
 public:
  // `deployments` must outlive the object; `on_started` is called once it is durable.
  DeploymentStart(Deployments& deployments,
                  std::function<void(const policy::DeploymentId&)> on_started)
      : deployments_(deployments), on_started_(std::move(on_started)) {}
  Result<std::string> Describe(std::string_view content) const override;
  Result<AfterCommit> Carry(store::Transaction& transaction, audit::Recorder& recorder,
                            const identity::PendingAct& act, const policy::PersonId& by) override;

 private:
  Deployments& deployments_;
  const std::function<void(const policy::DeploymentId&)> on_started_;
};

// Another threshold or false-alert budget: the content of the act threshold-lower.
struct DeploymentChange {
  policy::DeploymentId id;
  std::optional<double> threshold;
  std::optional<std::uint32_t> faces_per_false_alert;
  std::string reason;  // 1..1000
};
std::string EncodeChange(const DeploymentChange& change);

// Carries it out.
//
// Threads: thread-safe.
class ThresholdChange final : public identity::ActHandler {
 public:
  // Whether a definition stays at or above the floor of every holder now.
  // Errors: kInvalidArgument  names the holder whose floor it is below
  using CheckFloors = std::function<Status(const Deployment&)>;
  ThresholdChange(Deployments& deployments, CheckFloors check_floors)
      : deployments_(deployments), check_floors_(std::move(check_floors)) {}
  Result<std::string> Describe(std::string_view content) const override;
  Result<AfterCommit> Carry(store::Transaction& transaction, audit::Recorder& recorder,
                            const identity::PendingAct& act, const policy::PersonId& by) override;

 private:
  // The deployment as it would be.
  Result<Deployment> Changed(const DeploymentChange& change) const;

  Deployments& deployments_;
  const CheckFloors check_floors_;
};

}  // namespace comity::matching
