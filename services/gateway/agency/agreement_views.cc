// SPDX-License-Identifier: Apache-2.0
#include "services/gateway/agency/agreement_views.h"

#include <string>
#include <utility>

#include "services/gateway/wire/convert_policy.h"
#include "services/gateway/wire/convert_time.h"

namespace comity::gateway {
namespace {

using Texts = google::protobuf::RepeatedPtrField<std::string>;

void Fill(const std::vector<std::string>& texts, Texts& proto) {
  for (const std::string& text : texts) *proto.Add() = text;
}
template <typename Kind>
void Fill(const std::vector<policy::Id<Kind>>& ids, Texts& proto) {
  for (const auto& id : ids) *proto.Add() = id.text();
}

v1::StatementSummary SummaryOf(const agreements::StatementView& statement) {
  v1::StatementSummary proto;
  proto.set_id(statement.id.bytes.data(), statement.id.bytes.size());
  proto.set_kind(statement.kind);
  proto.set_party(statement.party.text());
  proto.set_post(statement.post);
  proto.set_position(statement.position);
  *proto.mutable_at() = ToProto(statement.at);
  proto.set_barred(statement.barred);
  return proto;
}

// The reference by which a request would name this agreement now; absent: it is not known.
std::optional<policy::AgreementRef> CurrentOf(const policy::AgreementSet& set,
                                              const policy::AgreementId& id, policy::Instant at) {
  const policy::AgreementVersion* const version = set.FindCurrent(id, at);
  return version == nullptr ? std::nullopt : std::optional(version->ref);
}

// Names the agreement that would be used: the first that permits, or else the first.
void NameAgreement(const policy::AgreementSet& set, Question& question) {
  for (const policy::AgreementId& id :
       set.FindBetween(question.request.requester, question.request.holder)) {
    policy::SearchRequest named = question.request;
    named.agreement = CurrentOf(set, id, question.at);
    const bool permits = policy::Decide(set, named, question.usage, question.at).permitted();
    if (permits || !question.request.agreement) question.request.agreement = named.agreement;
    if (permits) return;
  }
}

}  // namespace

void FillDeliveries(const std::map<policy::AgencyId, DeliveryState>& states,
                    google::protobuf::RepeatedPtrField<v1::PeerDelivery>& deliveries) {
  for (const auto& [agency, state] : states) {
    v1::PeerDelivery& delivery = *deliveries.Add();
    delivery.set_agency(agency.text());
    delivery.set_delivered(state.delivered);
    delivery.set_peer_status(state.peer_status);
    delivery.set_status_differs(state.status_differs);
  }
}

v1::AgreementSummary ToSummary(const agreements::AgreementView& view,
                               const std::map<policy::AgencyId, DeliveryState>& deliveries) {
  v1::AgreementSummary summary;
  *summary.mutable_agreement() = ToProto(view.agreement);
  summary.set_title(view.title);
  summary.set_status(view.status);
  summary.set_against_advice(view.against_advice);
  summary.set_conditional_advice(view.conditional_advice);
  Fill(view.missing, *summary.mutable_missing());
  Fill(view.parties, *summary.mutable_parties());
  Fill(view.purposes, *summary.mutable_purposes());
  for (const policy::ReleaseItem item : view.items) {
    summary.add_items(std::string(policy::Name(item)));
  }
  *summary.mutable_effective_from() = ToProto(view.effective_from);
  *summary.mutable_effective_until() = ToProto(view.effective_until);
  *summary.mutable_review_by() = ToProto(view.review_by);
  summary.set_reviewed(view.reviewed);
  Fill(view.missing_reviews, *summary.mutable_missing_reviews());
  if (view.terminates_at) *summary.mutable_terminates_at() = ToProto(*view.terminates_at);
  for (const agreements::StatementView& statement : view.statements) {
    *summary.add_statements() = SummaryOf(statement);
  }
  FillDeliveries(deliveries, *summary.mutable_deliveries());
  return summary;
}

Result<agreements::ListFilter> FilterOf(const v1::ListAgreementsRequest& request) {
  agreements::ListFilter filter;
  if (!request.id().empty()) {
    COMITY_ASSIGN_OR_RETURN(filter.id, policy::AgreementId::Parse(request.id()));
  }
  if (!request.party().empty()) {
    COMITY_ASSIGN_OR_RETURN(filter.party, policy::AgencyId::Parse(request.party()));
  }
  if (!request.purpose().empty()) {
    COMITY_ASSIGN_OR_RETURN(filter.purpose, policy::PurposeCode::Parse(request.purpose()));
  }
  if (!request.item().empty()) {
    COMITY_ASSIGN_OR_RETURN(filter.item, policy::ParseReleaseItem(request.item()));
  }
  if (request.has_review_before()) {
    COMITY_ASSIGN_OR_RETURN(filter.review_before, FromProto(request.review_before()));
  }
  filter.status = request.status();
  return filter;
}

Result<Question> QuestionOf(const v1::ExplainRequest& request, const policy::AgreementSet& set,
                            policy::Instant now) {
  Question question;
  COMITY_ASSIGN_OR_RETURN(const policy::AgencyId requester,
                          policy::AgencyId::Parse(request.requester()));
  COMITY_ASSIGN_OR_RETURN(const policy::AgencyId holder, policy::AgencyId::Parse(request.holder()));
  COMITY_ASSIGN_OR_RETURN(question.request, FromProto(request.terms(), requester, holder));
  question.request.has_case_reference = request.has_case();
  question.usage = {request.used_in_all(), request.used_by_officer(), request.used_in_case()};
  question.at = now;
  if (request.has_at()) {
    COMITY_ASSIGN_OR_RETURN(question.at, FromProto(request.at()));
  }
  question.request.agreement.reset();
  if (request.agreement().empty()) {
    NameAgreement(set, question);
    return question;
  }
  COMITY_ASSIGN_OR_RETURN(const policy::AgreementId id,
                          policy::AgreementId::Parse(request.agreement()));
  question.request.agreement = CurrentOf(set, id, question.at);
  if (!question.request.agreement) question.request.agreement = policy::AgreementRef{id, 1, {}};
  return question;
}

v1::ExplainResponse ToProto(const policy::Explanation& explanation) {
  v1::ExplainResponse proto;
  *proto.mutable_decision() = ToProto(explanation.decision);
  for (const policy::Finding& finding : explanation.findings) {
    v1::ClauseFinding& entry = *proto.add_findings();
    if (finding.agreement) *entry.mutable_agreement() = ToProto(*finding.agreement);
    entry.set_permission(finding.permission);
    entry.set_clause(finding.clause);
    entry.set_passed(finding.passed);
    entry.set_words(finding.words);
  }
  if (explanation.nearest) {
    v1::NearestPermission& nearest = *proto.mutable_nearest();
    *nearest.mutable_agreement() = ToProto(explanation.nearest->agreement);
    nearest.set_permission(explanation.nearest->permission);
    for (const policy::RequestChange& change : explanation.nearest->changes) {
      v1::RequestChange& entry = *nearest.add_changes();
      entry.set_field(change.field);
      entry.set_words(change.words);
    }
  }
  proto.set_words(policy::RenderExplanation(explanation));
  return proto;
}

}  // namespace comity::gateway
