// SPDX-License-Identifier: Apache-2.0
#include "services/gateway/agency/convert_deployment.h"

#include <optional>
#include <string>
#include <utility>

#include "services/gateway/wire/convert_policy.h"
#include "services/gateway/wire/convert_time.h"

namespace comity::gateway {
namespace {

std::string StateName(store::HolderState state) {
  switch (state) {
    case store::HolderState::kWaiting:
      return "waiting";
    case store::HolderState::kValidated:
      return "validated";
    case store::HolderState::kStale:
      return "stale";
    case store::HolderState::kRefused:
      return "refused";
    case store::HolderState::kUnreachable:
      return "unreachable";
  }
  return "unknown";
}

template <typename Set>
void SetTime(const std::optional<policy::Instant>& instant, Set set) {
  if (instant) *set() = ToProto(*instant);
}

}  // namespace

Result<matching::Deployment> FromProto(const v1::DeploymentDefinition& proto) {
  matching::Deployment definition;
  for (const std::string& text : proto.agreements()) {
    COMITY_ASSIGN_OR_RETURN(definition.agreements.emplace_back(), policy::AgreementId::Parse(text));
  }
  COMITY_ASSIGN_OR_RETURN(definition.purpose, policy::PurposeCode::Parse(proto.purpose()));
  for (const std::string& text : proto.list_categories()) {
    COMITY_ASSIGN_OR_RETURN(definition.list_categories.emplace_back(),
                            policy::ListCategory::Parse(text));
  }
  COMITY_ASSIGN_OR_RETURN(definition.engine, FromProto(proto.engine()));
  COMITY_ASSIGN_OR_RETURN(definition.starts_at, FromProto(proto.starts_at()));
  COMITY_ASSIGN_OR_RETURN(definition.ends_at, FromProto(proto.ends_at()));
  if (proto.mode() != v1::SEARCH_MODE_UNSPECIFIED) {
    COMITY_ASSIGN_OR_RETURN(definition.mode, FromProto(proto.mode()));
  }
  definition.engine_name = proto.engine_name();
  definition.threshold = proto.threshold();
  definition.place = proto.place();
  definition.reason = proto.reason();
  definition.case_ref = proto.case_ref();
  if (proto.has_offence()) {
    definition.offence =
        matching::Offence{proto.offence().code(), proto.offence().max_penalty_years()};
  }
  definition.expected_faces = proto.expected_faces();
  definition.false_match_rate = proto.false_match_rate();
  definition.test_report = proto.test_report();
  definition.faces_per_false_alert = proto.faces_per_false_alert();
  return definition;
}

v1::DeploymentDefinition ToProto(const matching::Deployment& definition) {
  v1::DeploymentDefinition proto;
  for (const auto& agreement : definition.agreements) proto.add_agreements(agreement.text());
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
  if (definition.offence) {
    proto.mutable_offence()->set_code(definition.offence->code);
    proto.mutable_offence()->set_max_penalty_years(definition.offence->max_penalty_years);
  }
  *proto.mutable_starts_at() = ToProto(definition.starts_at);
  *proto.mutable_ends_at() = ToProto(definition.ends_at);
  if (definition.mode) proto.set_mode(ToProto(*definition.mode));
  proto.set_expected_faces(definition.expected_faces);
  proto.set_false_match_rate(definition.false_match_rate);
  proto.set_test_report(definition.test_report);
  proto.set_faces_per_false_alert(definition.faces_per_false_alert);
  return proto;
}

v1::DeploymentSummary ToProto(const matching::DeploymentStatus& status) {
  v1::DeploymentSummary proto;
  proto.set_deployment(status.id.text());
  proto.set_state(std::string(matching::Name(status.phase)));
  *proto.mutable_definition() = ToProto(*status.definition);
  *proto.mutable_created_at() = ToProto(status.created_at);
  proto.set_faces(status.faces);
  proto.set_alerts(status.alerts);
  proto.set_false_alerts(status.false_alerts);
  proto.set_proposed_by(status.created_by);
  proto.set_approved_by(status.approved_by);
  SetTime(status.ended_at, [&] { return proto.mutable_ended_at(); });
  SetTime(status.deletion_due_at, [&] { return proto.mutable_deletion_due_at(); });
  SetTime(status.closed_at, [&] { return proto.mutable_closed_at(); });
  return proto;
}

v1::DeploymentHolder ToProto(const matching::ListValidations::Standing& standing) {
  v1::DeploymentHolder proto;
  proto.set_agency(standing.holder.text());
  proto.set_state(StateName(standing.state));
  proto.set_reason(standing.reason);
  SetTime(standing.validated_at, [&] { return proto.mutable_validated_at(); });
  proto.set_entries(standing.entries);
  proto.set_alerts(standing.alerts);
  proto.set_false_alerts(standing.false_alerts);
  return proto;
}

}  // namespace comity::gateway
