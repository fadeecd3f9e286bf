// SPDX-License-Identifier: Apache-2.0
#include "services/gateway/agency/agreements_service.h"

#include "crypto/sign/dsse.h"
#include "policy/agreement/statement.h"
#include "policy/decide/explain.h"
#include "services/gateway/agency/agreement_views.h"
#include "services/gateway/wire/convert_policy.h"
#include "services/gateway/wire/respond.h"

namespace comity::gateway {
namespace {

// Of statements in one answer: what partners may store here is more than one answer may be.
constexpr std::size_t kMostOctets = 1'000'000;

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

// Which act a submission is. What the statement says of itself decides only who may try: whether it
// is true is verified afterwards.
identity::Act ActOf(const v1::SubmitAgreementRequest& request) {
  using identity::Act;
  if (!request.has_statement()) return Act::kAgreementDraft;
  const auto envelope =
      sign::ParseDsseJson(request.statement(), agreements::Register::kMaxStatement);
  if (!envelope) return Act::kAgreementSign;
  const auto statement = policy::ParseStatementPayload(AsText(envelope->payload));
  if (!statement) return Act::kAgreementSign;
  switch (statement->kind) {
    case policy::StatementKind::kAdvice:
      return Act::kAgreementAdvise;
    case policy::StatementKind::kSuspension:
      return Act::kAgreementSuspend;
    case policy::StatementKind::kSignature:
    case policy::StatementKind::kResumption:
    case policy::StatementKind::kTermination:
    case policy::StatementKind::kRejection:
      return Act::kAgreementSign;
    case policy::StatementKind::kReview:
      return Act::kAgreementReview;
  }
  return Act::kAgreementSign;
}

// A person submits only what they signed themselves, so that two signatures are two people.
Status CheckSigner(const std::string& text, const identity::Caller& caller,
                   const identity::People& people) {
  COMITY_ASSIGN_OR_RETURN(const sign::DsseEnvelope envelope,
                          sign::ParseDsseJson(text, agreements::Register::kMaxStatement));
  COMITY_ASSIGN_OR_RETURN(const identity::Person person, people.Find(caller.person));
  if (envelope.signatures.size() == 1 && sign::VerifySignedBy(envelope, person.signing_key)) {
    return {};
  }
  return Fail(ErrorCode::kPermissionDenied,
              "a statement is submitted by who signed it, with the key registered for " +
                  caller.person.text());
}

}  // namespace

grpc::Status AgreementsService::Submit(grpc::ServerContext* context,
                                       const v1::SubmitAgreementRequest* request,
                                       v1::SubmitAgreementResponse* response) {
  return RespondLocally([&]() -> Status {
    const identity::Act act = ActOf(*request);
    COMITY_ASSIGN_OR_RETURN(const identity::Caller caller, ports_.callers.Person(*context, act));
    if (request->has_statement()) {
      const Status own = CheckSigner(request->statement(), caller, ports_.people);
      if (!own && own.error().code == ErrorCode::kPermissionDenied) {
        return Fail(ports_.callers.Refused(caller, identity::Name(act), own.error()));
      }
      COMITY_RETURN_IF_ERROR(own);
    }
    agreements::Source source;
    source.by = caller.person.text();
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
                                     const v1::ListAgreementsRequest* request,
                                     v1::ListAgreementsResponse* response) {
  return RespondLocally([&]() -> Status {
    COMITY_ASSIGN_OR_RETURN(const identity::Caller caller,
                            ports_.callers.Person(*context, identity::Act::kAgreementRead));
    COMITY_ASSIGN_OR_RETURN(const agreements::ListFilter filter, FilterOf(*request));
    std::size_t octets = 0;
    for (const auto& view : ports_.agreements.List(ports_.clock.Now(), filter)) {
      v1::AgreementSummary summary = ToSummary(view, ports_.courier.StateOf(view.agreement));
      if (octets + summary.ByteSizeLong() > kMostOctets) {
        summary.clear_statements();
        summary.set_statements_left_out(true);
      }
      const std::size_t size = summary.ByteSizeLong();
      if (octets + size > kMostOctets) {
        response->set_left_out(response->left_out() + 1);
        continue;
      }
      octets += size;
      *response->add_agreements() = std::move(summary);
    }
    return {};
  });
}

grpc::Status AgreementsService::Get(grpc::ServerContext* context,
                                    const v1::GetAgreementRequest* request,
                                    v1::GetAgreementResponse* response) {
  return RespondLocally([&]() -> Status {
    COMITY_ASSIGN_OR_RETURN(const identity::Caller caller,
                            ports_.callers.Person(*context, identity::Act::kAgreementRead));
    COMITY_ASSIGN_OR_RETURN(const policy::AgreementId id,
                            policy::AgreementId::Parse(request->id()));
    std::uint32_t version = request->version();
    if (version == 0 && request->deciding()) {
      const auto set = ports_.agreements.Snapshot();
      const auto* const current = set->FindCurrent(id, ports_.clock.Now());
      if (current != nullptr) version = current->ref.version;
    }
    COMITY_ASSIGN_OR_RETURN(const agreements::AgreementFile file,
                            ports_.agreements.Get(id, version));
    response->set_document(file.document);
    if (!request->statements()) return {};
    std::size_t octets = file.document.size();
    for (const std::string& statement : file.statements) {
      octets += statement.size();
      if (octets > kMostOctets) {
        response->set_more(true);
        break;
      }
      response->add_statements(statement);
    }
    return {};
  });
}

std::optional<policy::ReasonCode> AgreementsService::HaltedNow(
    const policy::SearchRequest& request) const {
  if (request.holder == ports_.self) return ports_.halted_at_holder(request, "");
  if (request.requester == ports_.self) return ports_.halted_at_requester(request, {});
  return std::nullopt;
}

grpc::Status AgreementsService::Explain(grpc::ServerContext* context,
                                        const v1::ExplainRequest* request,
                                        v1::ExplainResponse* response) {
  return RespondLocally([&]() -> Status {
    COMITY_ASSIGN_OR_RETURN(const identity::Caller caller,
                            ports_.callers.Person(*context, identity::Act::kAgreementExplain));
    const auto set = ports_.agreements.Snapshot();
    COMITY_ASSIGN_OR_RETURN(const Question question,
                            QuestionOf(*request, *set, ports_.clock.Now()));
    *response = ToProto(policy::Explain(*set, question.request, question.usage, question.at));
    if (request->has_at()) return {};
    if (const auto halted = HaltedNow(question.request)) {
      policy::Decision decision;
      decision.code = *halted;
      *response->mutable_halted() = ToProto(decision);
      *response->mutable_words() +=
          "\nAt this moment no such search is made all the same: " + std::string(Name(*halted)) +
          "\n";
    }
    return {};
  });
}

}  // namespace comity::gateway
