// SPDX-License-Identifier: Apache-2.0
#include "services/matching/deployment_acts.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "crypto/base/canonical_json.h"
#include "services/identity/json_fields.h"
#include "services/identity/visible_text.h"
#include "services/matching/search_events.h"

namespace comity::matching {
namespace {

constexpr std::size_t kMaxChange = 8 * 1024;  // a reason of 1,000 octets, each escaped
constexpr std::size_t kMaxReason = 1000;

Result<std::uint32_t> ParseBudget(std::string_view text) {
  COMITY_ASSIGN_OR_RETURN(const double value, ParseDecimal(text));
  if (!(value >= Deployment::kLeastFacesPerFalseAlert &&
        value <= Deployment::kMostFacesPerFalseAlert)) {
    return Fail(ErrorCode::kInvalidArgument,
                "a budget is one false alert in 100 to 1,000,000 faces");
  }
  return static_cast<std::uint32_t>(value);
}

Result<DeploymentChange> ParseChange(std::string_view content) {
  COMITY_ASSIGN_OR_RETURN(auto fields,
                          identity::JsonFields::Parse(content, kMaxChange, "threshold-lower"));
  DeploymentChange change;
  COMITY_ASSIGN_OR_RETURN(change.id, fields.Parsed("deployment", &policy::DeploymentId::Parse));
  if (fields.Has("threshold")) {
    COMITY_ASSIGN_OR_RETURN(change.threshold, fields.Parsed("threshold", &ParseDecimal));
  }
  if (fields.Has("faces_per_false_alert")) {
    COMITY_ASSIGN_OR_RETURN(change.faces_per_false_alert,
                            fields.Parsed("faces_per_false_alert", &ParseBudget));
  }
  COMITY_ASSIGN_OR_RETURN(change.reason, fields.Text("reason"));
  COMITY_RETURN_IF_ERROR(fields.Finish());
  COMITY_RETURN_IF_ERROR(identity::CheckVisibleText("the reason", change.reason, kMaxReason));
  return change;
}

}  // namespace

Result<std::string> DeploymentStart::Describe(std::string_view content) const {
  COMITY_ASSIGN_OR_RETURN(const DeploymentProposal proposal, ParseProposal(content));
  COMITY_RETURN_IF_ERROR(deployments_.CheckProposal(proposal.definition));
  return DescribeProposal(proposal);
}

Result<identity::ActHandler::AfterCommit> DeploymentStart::Carry(store::Transaction& transaction,
                                                                 audit::Recorder& recorder,
                                                                 const identity::PendingAct& act,
                                                                 const policy::PersonId& by) {
  COMITY_ASSIGN_OR_RETURN(DeploymentProposal proposal, ParseProposal(act.content));
  const policy::DeploymentId id = proposal.id;
  const Status started = deployments_.Start(transaction, recorder,
                                            {.id = id,
                                             .definition = std::move(proposal.definition),
                                             .reason = {},
                                             .proposed_by = act.proposed_by.text(),
                                             .approved_by = by.text()});
  // Too late, or no room: it was right when it was proposed and cannot be done any more.
  if (!started && started.error().code == ErrorCode::kInvalidArgument) {
    return Fail(ErrorCode::kConflict, started.error().detail);
  }
  COMITY_RETURN_IF_ERROR(started);
  return AfterCommit([this, id] {
    if (deployments_.Refresh(id) && on_started_) on_started_(id);
  });
}

std::string EncodeChange(const DeploymentChange& change) {
  nlohmann::json value = {{"deployment", change.id.text()}, {"reason", change.reason}};
  if (change.threshold) value["threshold"] = EncodeDecimal(*change.threshold);
  if (change.faces_per_false_alert) {
    value["faces_per_false_alert"] = EncodeDecimal(*change.faces_per_false_alert);
  }
  return TryEncodeCanonicalJson(value).value_or("{}");
}

Result<Deployment> ThresholdChange::Changed(const DeploymentChange& change) const {
  COMITY_ASSIGN_OR_RETURN(const DeploymentStatus status, deployments_.Find(change.id));
  if (status.phase != DeploymentPhase::kPlanned && status.phase != DeploymentPhase::kActive) {
    return Fail(ErrorCode::kConflict, "the deployment is " + std::string(Name(status.phase)));
  }
  Deployment changed = *status.definition;
  if (change.threshold) changed.threshold = *change.threshold;
  if (change.faces_per_false_alert) changed.faces_per_false_alert = *change.faces_per_false_alert;
  if (changed == *status.definition) {
    return Fail(ErrorCode::kInvalidArgument, "that is what the deployment has already");
  }
  return changed;
}

Result<std::string> ThresholdChange::Describe(std::string_view content) const {
  COMITY_ASSIGN_OR_RETURN(const DeploymentChange change, ParseChange(content));
  COMITY_ASSIGN_OR_RETURN(const Deployment changed, Changed(change));
  COMITY_RETURN_IF_ERROR(check_floors_(changed));
  COMITY_ASSIGN_OR_RETURN(const DeploymentStatus status, deployments_.Find(change.id));
  std::string text =
      "Changes the live operation " + change.id.text() + " at " + changed.place + "\n";
  if (change.threshold) {
    text += "Threshold: " + EncodeDecimal(status.definition->threshold) + " becomes " +
            EncodeDecimal(changed.threshold) + "\n";
  }
  if (change.faces_per_false_alert) {
    text += "False-alert budget: 1 in " + std::to_string(status.definition->faces_per_false_alert) +
            " faces becomes 1 in " + std::to_string(changed.faces_per_false_alert) + "\n";
  }
  return text + "So far: " + std::to_string(status.faces) + " faces, " +
         std::to_string(status.alerts) + " alerts, " + std::to_string(status.false_alerts) +
         " of them false\nWhy: " + change.reason;
}

Result<identity::ActHandler::AfterCommit> ThresholdChange::Carry(store::Transaction& transaction,
                                                                 audit::Recorder& recorder,
                                                                 const identity::PendingAct& act,
                                                                 const policy::PersonId& by) {
  COMITY_ASSIGN_OR_RETURN(const DeploymentChange change, ParseChange(act.content));
  COMITY_ASSIGN_OR_RETURN(const auto record, transaction.deployments().Get(change.id));
  COMITY_ASSIGN_OR_RETURN(Deployment changed, ParseDeployment(record.definition));
  if (change.threshold) changed.threshold = *change.threshold;
  if (change.faces_per_false_alert) changed.faces_per_false_alert = *change.faces_per_false_alert;
  COMITY_RETURN_IF_ERROR(check_floors_(changed));
  COMITY_RETURN_IF_ERROR(deployments_.Change(transaction, recorder,
                                             {.id = change.id,
                                              .definition = std::move(changed),
                                              .reason = change.reason,
                                              .proposed_by = act.proposed_by.text(),
                                              .approved_by = by.text()}));
  return AfterCommit([this, id = change.id] { static_cast<void>(deployments_.Refresh(id)); });
}

}  // namespace comity::matching
