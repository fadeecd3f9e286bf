// SPDX-License-Identifier: Apache-2.0
#include "services/gateway/agency/deployments_service.h"

#include <algorithm>
#include <utility>

#include "services/audit/events.h"
#include "services/gateway/agency/convert_deployment.h"
#include "services/gateway/wire/convert_approval.h"
#include "services/gateway/wire/convert_policy.h"
#include "services/gateway/wire/respond.h"
#include "services/matching/deployment_acts.h"
#include "services/matching/false_alert_budget.h"
#include "services/matching/search_order.h"

namespace comity::gateway {
namespace {

using identity::Act;
using oversight::StopScope;

constexpr std::uint32_t kDefaultListed = 100;
constexpr std::uint32_t kMaxListed = 1000;

v1::HolderOutlook ToProto(const HolderOutlook& outlook, const matching::Deployment& definition) {
  v1::HolderOutlook proto;
  proto.set_agency(outlook.forecast.agency.text());
  *proto.mutable_decision() = gateway::ToProto(outlook.decision);
  proto.set_reached(outlook.forecast.reached);
  proto.set_entries(outlook.forecast.entries);
  for (const auto& [category, entries] : outlook.forecast.categories) {
    v1::OfferedCategory& offered = *proto.add_categories();
    offered.set_category(category);
    offered.set_entries(entries);
  }
  proto.set_predicted_false_alerts(
      matching::PredictedFalseAlerts(definition, outlook.forecast.entries));
  return proto;
}

}  // namespace

std::vector<AskedHolder> DeploymentsService::HoldersNow(
    const matching::Deployment& definition) const {
  return HoldersOf(definition.agreements, *ports_.outlook.agreements(), ports_.self,
                   ports_.outlook.clock.Now());
}

std::vector<HolderOutlook> DeploymentsService::OutlookOf(const matching::Deployment& definition,
                                                         const matching::SearchOrder& order,
                                                         const identity::Caller& caller) const {
  const auto asked = HoldersNow(definition);
  v1::OffersResponse offers;
  // A proposal can be made while partners are away; its words say whose sizes are unknown.
  if (auto read = ports_.offers.Read({}, caller.person)) offers = *std::move(read);
  std::vector<HolderOutlook> holders;
  for (const AskedHolder& holder : asked) {
    holders.push_back(OutlookAt(holder, order, ports_.outlook, offers));
  }
  return holders;
}

Status DeploymentsService::Refuse(const matching::Deployment& definition,
                                  const policy::Decision& decision, const identity::Caller& caller,
                                  v1::ProposeDeploymentResponse& response) const {
  audit::Event event;
  event.type = audit::kSearchRefused;
  event.time = ports_.outlook.clock.Now();
  event.parties = {ports_.self};
  event.agreement = decision.agreement;
  event.decision_code = std::string(Name(decision.code));
  event.clauses = decision.clauses;
  event.committed = {{"request", matching::EncodeDeployment(definition)},
                     {"case_ref", definition.case_ref},
                     {"operator", caller.person.text()}};
  event.counts = {{"refusals", 1}};
  COMITY_RETURN_IF_ERROR(ports_.outlook.journal.Record(event));
  *response.mutable_refused() = gateway::ToProto(decision);
  return {};
}

grpc::Status DeploymentsService::Propose(grpc::ServerContext* context,
                                         const v1::ProposeDeploymentRequest* request,
                                         v1::ProposeDeploymentResponse* response) {
  return RespondLocally([&]() -> Status {
    COMITY_ASSIGN_OR_RETURN(const auto caller,
                            ports_.callers.Person(*context, Act::kDeploymentStart));
    COMITY_ASSIGN_OR_RETURN(matching::Deployment definition, FromProto(request->definition()));
    COMITY_RETURN_IF_ERROR(ports_.deployments.CheckProposal(definition));
    const policy::DeploymentId id = ports_.deployments.NewId();
    const auto order = matching::OrderOf(definition, id, caller.person.text(), ports_.self);
    const std::vector<HolderOutlook> holders = OutlookOf(definition, *order, caller);
    if (holders.empty()) {
      policy::Decision refused;
      refused.code = policy::ReasonCode::kNoAgreement;
      return Refuse(definition, refused, caller, *response);
    }
    matching::DeploymentProposal proposal{id, std::move(definition), {}};
    for (const HolderOutlook& holder : holders) {
      *response->add_holders() = ToProto(holder, proposal.definition);
      // No threshold below what a holder has agreed to, even if others would answer.
      if (holder.decision.code == policy::ReasonCode::kThresholdBelowFloor) {
        return Refuse(proposal.definition, holder.decision, caller, *response);
      }
      proposal.holders.push_back(holder.forecast);
    }
    COMITY_ASSIGN_OR_RETURN(
        const auto pending,
        ports_.approvals.Propose(Act::kDeploymentStart, matching::EncodeProposal(proposal),
                                 "deployment " + id.text(), caller));
    response->set_deployment(id.text());
    *response->mutable_pending() = gateway::ToProto(pending);
    return {};
  });
}

std::string DeploymentsService::HaltedBy(const matching::DeploymentStatus& deployment) const {
  const auto standing = ports_.stops.Standing();
  std::string words;
  const auto add = [&](StopScope scope, const std::string& reference) {
    const auto stop = standing->Find(scope, reference);
    if (!stop) return;
    words += (words.empty() ? "" : ", ") + std::string(oversight::Name(scope)) + " " + reference +
             " (" + *stop + ")";
  };
  add(StopScope::kDeployment, deployment.id.text());
  for (const auto& agreement : deployment.definition->agreements) {
    add(StopScope::kAgreement, agreement.text());
  }
  for (const AskedHolder& asked : HoldersNow(*deployment.definition)) {
    add(StopScope::kPartner, asked.holder.text());
  }
  return words;
}

Result<v1::DeploymentSummary> DeploymentsService::SummaryOf(
    const matching::DeploymentStatus& deployment) const {
  v1::DeploymentSummary summary = gateway::ToProto(deployment);
  COMITY_ASSIGN_OR_RETURN(const auto standings, ports_.validations.Of(deployment.id));
  std::uint64_t entries = 0;
  for (const auto& standing : standings) entries += standing.entries;
  for (const auto& standing : standings) {
    v1::DeploymentHolder& holder = *summary.add_holders();
    holder = gateway::ToProto(standing);
    holder.set_budget_share(matching::BudgetShare(standing.entries, entries));
  }
  if (deployment.phase != matching::DeploymentPhase::kPlanned &&
      deployment.phase != matching::DeploymentPhase::kActive) {
    return summary;
  }
  for (const AskedHolder& asked : HoldersNow(*deployment.definition)) {
    const bool known = std::ranges::any_of(
        standings, [&](const auto& standing) { return standing.holder == asked.holder; });
    if (known) continue;
    v1::DeploymentHolder& holder = *summary.add_holders();
    holder.set_agency(asked.holder.text());
    holder.set_state("waiting");
  }
  summary.set_halted(HaltedBy(deployment));
  return summary;
}

grpc::Status DeploymentsService::Get(grpc::ServerContext* context,
                                     const v1::GetDeploymentRequest* request,
                                     v1::DeploymentSummary* response) {
  return RespondLocally([&]() -> Status {
    COMITY_RETURN_IF_ERROR(ports_.callers.Person(*context, Act::kDeploymentRead));
    COMITY_ASSIGN_OR_RETURN(const auto id, policy::DeploymentId::Parse(request->deployment()));
    COMITY_ASSIGN_OR_RETURN(const auto deployment, ports_.deployments.Find(id));
    COMITY_ASSIGN_OR_RETURN(*response, SummaryOf(deployment));
    return {};
  });
}

grpc::Status DeploymentsService::List(grpc::ServerContext* context,
                                      const v1::ListDeploymentsRequest* request,
                                      v1::ListDeploymentsResponse* response) {
  return RespondLocally([&]() -> Status {
    COMITY_RETURN_IF_ERROR(ports_.callers.Person(*context, Act::kDeploymentRead));
    const std::uint32_t limit =
        request->limit() == 0 ? kDefaultListed : std::min(request->limit(), kMaxListed);
    COMITY_ASSIGN_OR_RETURN(const auto deployments, ports_.deployments.List(limit));
    for (const matching::DeploymentStatus& deployment : deployments) {
      COMITY_ASSIGN_OR_RETURN(*response->add_deployments(), SummaryOf(deployment));
    }
    return {};
  });
}

grpc::Status DeploymentsService::Change(grpc::ServerContext* context,
                                        const v1::ChangeDeploymentRequest* request,
                                        v1::PendingAct* response) {
  return RespondLocally([&]() -> Status {
    COMITY_ASSIGN_OR_RETURN(const auto caller,
                            ports_.callers.Person(*context, Act::kThresholdLower));
    matching::DeploymentChange change;
    COMITY_ASSIGN_OR_RETURN(change.id, policy::DeploymentId::Parse(request->deployment()));
    if (request->threshold() != 0) change.threshold = request->threshold();
    if (request->faces_per_false_alert() != 0) {
      change.faces_per_false_alert = request->faces_per_false_alert();
    }
    change.reason = request->reason();
    COMITY_ASSIGN_OR_RETURN(
        const auto pending,
        ports_.approvals.Propose(Act::kThresholdLower, matching::EncodeChange(change),
                                 "deployment " + change.id.text(), caller));
    *response = gateway::ToProto(pending);
    return {};
  });
}

grpc::Status DeploymentsService::Stop(grpc::ServerContext* context,
                                      const v1::StopDeploymentRequest* request,
                                      v1::StopDeploymentResponse* /*response*/) {
  return RespondLocally([&]() -> Status {
    COMITY_ASSIGN_OR_RETURN(const auto caller,
                            ports_.callers.Person(*context, Act::kDeploymentStop));
    COMITY_ASSIGN_OR_RETURN(const auto id, policy::DeploymentId::Parse(request->deployment()));
    return ports_.deployments.Stop(id, request->reason(), caller.person.text());
  });
}

}  // namespace comity::gateway
