// SPDX-License-Identifier: Apache-2.0
#include "services/gateway/deployments_service.h"

#include <memory>
#include <utility>

#include "services/audit/events.h"
#include "services/gateway/convert_policy.h"
#include "services/gateway/convert_time.h"
#include "services/gateway/deployment_holders.h"
#include "services/gateway/respond.h"
#include "services/matching/exchange_id.h"
#include "services/matching/requester_session.h"

namespace comity::gateway {
namespace {

Result<matching::Deployment> DefinitionFromProto(const v1::DeploymentDefinition& proto) {
  matching::Deployment definition;
  COMITY_ASSIGN_OR_RETURN(definition.agreement, policy::AgreementId::Parse(proto.agreement()));
  COMITY_ASSIGN_OR_RETURN(definition.purpose, policy::PurposeCode::Parse(proto.purpose()));
  for (const std::string& text : proto.list_categories()) {
    COMITY_ASSIGN_OR_RETURN(policy::ListCategory category, policy::ListCategory::Parse(text));
    definition.list_categories.push_back(std::move(category));
  }
  COMITY_ASSIGN_OR_RETURN(definition.engine, FromProto(proto.engine()));
  COMITY_ASSIGN_OR_RETURN(definition.starts_at, FromProto(proto.starts_at()));
  COMITY_ASSIGN_OR_RETURN(definition.ends_at, FromProto(proto.ends_at()));
  COMITY_ASSIGN_OR_RETURN(definition.mode, FromProto(proto.mode()));
  definition.engine_name = proto.engine_name();
  definition.threshold = proto.threshold();
  definition.place = proto.place();
  definition.reason = proto.reason();
  definition.case_ref = proto.case_ref();
  return definition;
}

v1::DeploymentDefinition DefinitionToProto(const matching::Deployment& definition) {
  v1::DeploymentDefinition proto;
  proto.set_agreement(definition.agreement.text());
  proto.set_purpose(definition.purpose.text());
  for (const auto& category : definition.list_categories) {
    proto.add_list_categories(category.text());
  }
  *proto.mutable_engine() = ToProto(definition.engine);
  proto.set_engine_name(definition.engine_name);
  proto.set_threshold(definition.threshold);
  proto.set_place(definition.place);
  proto.set_reason(definition.reason);
  proto.set_case_ref(definition.case_ref);
  *proto.mutable_starts_at() = ToProto(definition.starts_at);
  *proto.mutable_ends_at() = ToProto(definition.ends_at);
  if (definition.mode) proto.set_mode(ToProto(*definition.mode));
  return proto;
}

}  // namespace

grpc::Status DeploymentsService::Create(grpc::ServerContext* context,
                                        const v1::CreateDeploymentRequest* request,
                                        v1::CreateDeploymentResponse* response) {
  return RespondLocally([&]() -> Status {
    COMITY_ASSIGN_OR_RETURN(const std::string person,
                            ports_.callers.Person(*context, "Deployments.Create"));
    COMITY_ASSIGN_OR_RETURN(const matching::Deployment definition,
                            DefinitionFromProto(request->definition()));
    const auto now = ports_.search.clock.Now();
    const auto holders = HoldersOf(definition, *ports_.search.agreements(), ports_.self, now);
    if (holders.empty()) {
      audit::Event event;
      event.type = audit::kSearchRefused;
      event.time = now;
      event.parties = {ports_.self};
      event.decision_code = std::string(Name(policy::ReasonCode::kNoAgreement));
      event.committed = {{"request", matching::EncodeDeployment(definition)},
                         {"case_ref", definition.case_ref},
                         {"operator", person}};
      event.counts = {{"refusals", 1}};
      COMITY_RETURN_IF_ERROR(ports_.search.journal.Record(event));
      policy::Decision refused;
      refused.code = policy::ReasonCode::kNoAgreement;
      *response->mutable_refused() = ToProto(refused);
      return {};
    }
    COMITY_ASSIGN_OR_RETURN(const matching::DeploymentStatus created,
                            ports_.deployments.Create(definition, person));
    response->set_deployment(created.id.text());
    for (const policy::AgencyId& holder : holders) {
      v1::HolderOutlook& outlook = *response->add_holders();
      outlook.set_agency(holder.text());
      *outlook.mutable_decision() = ToProto(Outlook(created, holder, person));
    }
    return {};
  });
}

policy::Decision DeploymentsService::Outlook(const matching::DeploymentStatus& deployment,
                                             const policy::AgencyId& holder,
                                             const std::string& person) const {
  matching::RequesterTerms terms;
  terms.own_agency = ports_.self;
  terms.holder = holder;
  terms.exchange = matching::NewExchangeId(ports_.random);
  terms.deployment_id = deployment.id;
  terms.deployment = deployment.definition;
  terms.operator_id = person;
  return matching::RequesterSession(std::move(terms), ports_.search)
      .Outlook(ports_.search.clock.Now());
}

grpc::Status DeploymentsService::List(grpc::ServerContext* context,
                                      const v1::ListDeploymentsRequest* /*request*/,
                                      v1::ListDeploymentsResponse* response) {
  return RespondLocally([&]() -> Status {
    COMITY_ASSIGN_OR_RETURN(const std::string person,
                            ports_.callers.Person(*context, "Deployments.List"));
    for (const matching::DeploymentStatus& deployment : ports_.deployments.List()) {
      v1::DeploymentSummary& summary = *response->add_deployments();
      summary.set_deployment(deployment.id.text());
      summary.set_state(std::string(matching::Name(deployment.phase)));
      *summary.mutable_definition() = DefinitionToProto(*deployment.definition);
      *summary.mutable_created_at() = ToProto(deployment.created_at);
      const StreamCounts counts = ports_.recognition.CountsOf(deployment.id);
      summary.set_faces(counts.faces);
      summary.set_alerts(counts.alerts);
    }
    return {};
  });
}

grpc::Status DeploymentsService::Stop(grpc::ServerContext* context,
                                      const v1::StopDeploymentRequest* request,
                                      v1::StopDeploymentResponse* /*response*/) {
  return RespondLocally([&]() -> Status {
    COMITY_ASSIGN_OR_RETURN(const std::string person,
                            ports_.callers.Person(*context, "Deployments.Stop"));
    COMITY_ASSIGN_OR_RETURN(const policy::DeploymentId id,
                            policy::DeploymentId::Parse(request->deployment()));
    return ports_.deployments.Stop(id, request->reason(), person);
  });
}

}  // namespace comity::gateway
