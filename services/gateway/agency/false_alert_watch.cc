// SPDX-License-Identifier: Apache-2.0
#include "services/gateway/agency/false_alert_watch.h"

#include <string>

#include "services/audit/events.h"
#include "services/matching/false_alert_budget.h"

namespace comity::gateway {
namespace {

using identity::Role;
using matching::BudgetUse;
using matching::DeploymentStatus;

constexpr identity::RoleSet kAudience{Role::kSupervisor, Role::kDpo, Role::kSignatory};

std::string RateOf(const DeploymentStatus& deployment) {
  return std::to_string(deployment.false_alerts) + " false alerts among " +
         std::to_string(deployment.faces) + " faces; the budget is 1 in " +
         std::to_string(deployment.definition->faces_per_false_alert);
}

std::string SubjectOf(const DeploymentStatus& deployment) {
  return "deployment " + deployment.id.text();
}

// Whether this false alert is the one that reached `use`.
bool Reached(const DeploymentStatus& deployment, BudgetUse use) {
  const std::uint32_t budget = deployment.definition->faces_per_false_alert;
  return matching::UseOfBudget(deployment.false_alerts, deployment.faces, budget) == use &&
         matching::UseOfBudget(deployment.false_alerts - 1, deployment.faces, budget) != use;
}

}  // namespace

Status FalseAlertWatch::OnOutcome(store::Transaction& transaction, audit::Recorder& recorder,
                                  const casework::Alert& alert) {
  if (alert.deployment.empty() || !alert.acknowledgement ||
      alert.acknowledgement->outcome != casework::Outcome::kNotAMatch) {
    return {};
  }
  const auto counted =
      ports_.deployments.CountFalseAlert(transaction, alert.deployment, alert.holder);
  // An alert can outlive what is stored of its deployment.
  if (!counted && counted.error().code == ErrorCode::kNotFound) return {};
  if (!counted) return Fail(counted.error());
  const std::uint32_t budget = counted->definition->faces_per_false_alert;
  if (matching::UseOfBudget(counted->false_alerts, counted->faces, budget) == BudgetUse::kUsedUp) {
    return Stop(transaction, recorder, *counted);
  }
  if (Reached(*counted, BudgetUse::kHalf)) {
    COMITY_RETURN_IF_ERROR(ports_.notices.Post(
        transaction, recorder,
        {identity::notice::kAlarm, kAudience, SubjectOf(*counted),
         "Half of the false-alert budget of the live operation is used: " + RateOf(*counted)}));
  }
  return WarnOfShare(transaction, recorder, *counted, alert.holder);
}

// One holder's false alerts against its part of the budget, which its share of the entries gives.
Status FalseAlertWatch::WarnOfShare(store::Transaction& transaction, audit::Recorder& recorder,
                                    const DeploymentStatus& deployment,
                                    const policy::AgencyId& holder) const {
  COMITY_ASSIGN_OR_RETURN(const auto holders, transaction.deployments().Holders(deployment.id));
  if (holders.size() < 2) return {};
  std::uint64_t entries = 0;
  const matching::ListValidations::Standing* found = nullptr;
  for (const auto& standing : holders) {
    entries += standing.entries;
    if (standing.holder == holder) found = &standing;
  }
  if (found == nullptr || found->false_alerts < 2) return {};
  const double allowed = matching::BudgetShare(found->entries, entries) *
                         static_cast<double>(deployment.faces) /
                         deployment.definition->faces_per_false_alert;
  const auto now = static_cast<double>(found->false_alerts);
  if (now < allowed || now - 1 >= std::max(allowed, 2.0)) return {};
  return ports_.notices.Post(
      transaction, recorder,
      {identity::notice::kAlarm, kAudience, SubjectOf(deployment),
       "The false alerts of " + holder.text() + " have used its share of the budget: " +
           std::to_string(found->false_alerts) + " of " + RateOf(deployment)});
}

Status FalseAlertWatch::Stop(store::Transaction& transaction, audit::Recorder& recorder,
                             const DeploymentStatus& deployment) const {
  const std::string reason = "the false-alert budget is used up: " + RateOf(deployment);
  COMITY_ASSIGN_OR_RETURN(
      const auto stop, ports_.stops.SetByAlarm(
                           transaction, recorder,
                           {oversight::StopScope::kDeployment, deployment.id.text(), reason, {}}));
  if (!stop) return {};  // stopped already
  audit::Event event;
  event.type = audit::kAlarmRaised;
  event.time = ports_.clock.Now();
  event.parties = {ports_.self};
  event.decision_code = "false-alert-budget";
  event.committed = {{"deployment", deployment.id.text()}, {"reason", reason}, {"stop", stop->id}};
  event.counts = {{"faces", static_cast<std::int64_t>(deployment.faces)},
                  {"false_alerts", static_cast<std::int64_t>(deployment.false_alerts)}};
  COMITY_RETURN_IF_ERROR(recorder.Record(event));
  return ports_.notices.Post(transaction, recorder,
                             {identity::notice::kAlarm, kAudience, SubjectOf(deployment),
                              "The live operation is stopped by an alarm: " + reason +
                                  ". Two people lift the stop " + stop->id + "."});
}

void FalseAlertWatch::AfterOutcome(const casework::Alert& alert) {
  if (alert.deployment.empty() || alert.acknowledgement->outcome != casework::Outcome::kNotAMatch) {
    return;
  }
  // Stops that cannot be read stop everything; a count that cannot be read is read again with the
  // next one.
  static_cast<void>(ports_.deployments.Refresh(alert.deployment));
  static_cast<void>(ports_.stops.Refresh());
  ports_.barrier.Drain();
  ports_.notices.Announce();
}

}  // namespace comity::gateway
