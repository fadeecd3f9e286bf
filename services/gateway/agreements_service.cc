// SPDX-License-Identifier: Apache-2.0
#include "services/gateway/agreements_service.h"

#include "services/gateway/convert_policy.h"
#include "services/gateway/convert_time.h"
#include "services/gateway/respond.h"

namespace comity::gateway {
namespace {

using Deliveries = std::map<policy::AgencyId, DeliveryState>;

void FillDeliveries(const Deliveries& states,
                    google::protobuf::RepeatedPtrField<v1::PeerDelivery>& deliveries) {
  for (const auto& [agency, state] : states) {
    v1::PeerDelivery& delivery = *deliveries.Add();
    delivery.set_agency(agency.text());
    delivery.set_delivered(state.delivered);
    delivery.set_peer_status(state.peer_status);
  }
}

v1::AgreementSummary ToSummary(const agreements::AgreementView& view) {
  v1::AgreementSummary summary;
  *summary.mutable_agreement() = ToProto(view.agreement);
  summary.set_title(view.title);
  summary.set_status(view.status);
  summary.set_against_advice(view.against_advice);
  for (const std::string& missing : view.missing) summary.add_missing(missing);
  for (const policy::AgencyId& party : view.parties) summary.add_parties(party.text());
  *summary.mutable_effective_from() = ToProto(view.effective_from);
  *summary.mutable_effective_until() = ToProto(view.effective_until);
  for (const agreements::StatementView& statement : view.statements) {
    v1::StatementSummary& entry = *summary.add_statements();
    entry.set_id(statement.id.bytes.data(), statement.id.bytes.size());
    entry.set_kind(statement.kind);
    entry.set_party(statement.party.text());
    entry.set_post(statement.post);
    entry.set_position(statement.position);
    *entry.mutable_at() = ToProto(statement.at);
  }
  return summary;
}

Result<agreements::Submitted> Accept(agreements::Register& agreements,
                                     const v1::SubmitAgreementRequest& request,
                                     const agreements::Source& source) {
  switch (request.content_case()) {
    case v1::SubmitAgreementRequest::kDocument:
      return agreements.SubmitDocument(request.document(), source);
    case v1::SubmitAgreementRequest::kStatement:
      return agreements.SubmitStatement(request.statement(), source);
    case v1::SubmitAgreementRequest::CONTENT_NOT_SET:
      break;
  }
  return Fail(ErrorCode::kInvalidArgument, "neither a document nor a statement was sent");
}

}  // namespace

grpc::Status AgreementsService::Submit(grpc::ServerContext* context,
                                       const v1::SubmitAgreementRequest* request,
                                       v1::SubmitAgreementResponse* response) {
  return RespondLocally([&]() -> Status {
    COMITY_ASSIGN_OR_RETURN(const std::string person,
                            ports_.callers.Person(*context, "Agreements.Submit"));
    agreements::Source source;
    source.by = person;
    COMITY_ASSIGN_OR_RETURN(const agreements::Submitted submitted,
                            Accept(ports_.agreements, *request, source));
    // A suspension that was answered is one under which no further answer is given.
    ports_.barrier.Drain();
    ports_.courier.DeliverNow(submitted.agreement);
    *response->mutable_agreement() = ToProto(submitted.agreement);
    response->set_status(submitted.status);
    response->set_known_already(submitted.known_already);
    FillDeliveries(ports_.courier.StateOf(submitted.agreement), *response->mutable_deliveries());
    return {};
  });
}

grpc::Status AgreementsService::List(grpc::ServerContext* context,
                                     const v1::ListAgreementsRequest* /*request*/,
                                     v1::ListAgreementsResponse* response) {
  return RespondLocally([&]() -> Status {
    COMITY_ASSIGN_OR_RETURN(const std::string person,
                            ports_.callers.Person(*context, "Agreements.List"));
    for (const auto& view : ports_.agreements.List(ports_.clock.Now())) {
      v1::AgreementSummary& summary = *response->add_agreements();
      summary = ToSummary(view);
      FillDeliveries(ports_.courier.StateOf(view.agreement), *summary.mutable_deliveries());
    }
    return {};
  });
}

grpc::Status AgreementsService::Get(grpc::ServerContext* context,
                                    const v1::GetAgreementRequest* request,
                                    v1::GetAgreementResponse* response) {
  return RespondLocally([&]() -> Status {
    COMITY_ASSIGN_OR_RETURN(const std::string person,
                            ports_.callers.Person(*context, "Agreements.Get"));
    COMITY_ASSIGN_OR_RETURN(const policy::AgreementId id,
                            policy::AgreementId::Parse(request->id()));
    COMITY_ASSIGN_OR_RETURN(const agreements::AgreementFile file,
                            ports_.agreements.Get(id, request->version()));
    response->set_document(file.document);
    for (const std::string& statement : file.statements) response->add_statements(statement);
    return {};
  });
}

}  // namespace comity::gateway
