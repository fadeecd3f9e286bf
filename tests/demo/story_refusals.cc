// SPDX-License-Identifier: Apache-2.0
// What must be refused is refused: by the honest requester's own gateway, and by the holder when a
// requester with valid keys does not check.
#include <fmt/format.h>

#include "services/gateway/wire/convert_policy.h"
#include "tests/demo/story.h"

namespace comity::demo {
namespace {

using policy::ReasonCode;
using testing::EngineClient;
using testing::UncheckedRequester;

// A decision as `comity --json` prints it.
policy::Decision DecisionOf(const nlohmann::json& json) {
  policy::Decision decision;
  if (!json.is_object()) return decision;
  if (auto code = policy::ParseReasonCode(json.value("code", "")); code) decision.code = *code;
  if (json.contains("agreement") && json["agreement"].is_object()) {
    decision.agreement.emplace();
    decision.agreement->id = *policy::AgreementId::Parse(json["agreement"].value("id", ""));
  }
  for (const auto& clause : json.value("clauses", nlohmann::json::array())) {
    decision.clauses.push_back(clause.get<std::string>());
  }
  return decision;
}

}  // namespace

void Story::AddRefusal(std::string name, std::string requester, std::string by,
                       const policy::Decision& decision, std::string expected_by,
                       ReasonCode expected) {
  Refusal refusal;
  refusal.name = std::move(name);
  refusal.requester = std::move(requester);
  refusal.by = std::move(by);
  refusal.code = std::string(policy::Name(decision.code));
  if (decision.agreement) refusal.agreement = decision.agreement->id.text();
  if (!decision.clauses.empty()) refusal.clause = decision.clauses.back();
  refusal.expected_by = std::move(expected_by);
  refusal.expected_code = std::string(policy::Name(expected));
  fmt::print("  {:<24} {:<9} refused by {:<18} {} {} {}\n", refusal.name, refusal.requester,
             refusal.by, refusal.code, refusal.agreement.value_or("-"),
             refusal.clause.value_or("-"));
  report_.refused.push_back(std::move(refusal));
}

Status Story::Refusals() {
  fmt::print("\nRefusals: case, requester, who refused, code, agreement, clause\n");
  policy::SearchRequest terms = TermsOf(kDirect);
  terms.purpose = *policy::PurposeCode::Parse("general-surveillance");
  COMITY_RETURN_IF_ERROR(
      RefuseAtOpening("wrong-purpose", kDirect, terms, ReasonCode::kPurposeNotCovered));
  COMITY_RETURN_IF_ERROR(RefuseAtOpening("expired-attachment", kLapsed, TermsOf(kLapsed),
                                         ReasonCode::kAttachmentNotValid));
  COMITY_RETURN_IF_ERROR(RefuseOverCapacity());
  COMITY_RETURN_IF_ERROR(RefuseWithoutAgreement());
  terms = TermsOf(kDirect);
  terms.list_categories = {*policy::ListCategory::Parse("witness")};
  COMITY_RETURN_IF_ERROR(
      RefuseAtOpening("category-not-covered", kDirect, terms, ReasonCode::kCategoryNotCovered));
  COMITY_RETURN_IF_ERROR(RefuseSuspended());
  for (const Refusal& refusal : report_.refused) {
    if (refusal.as_expected()) continue;
    return Fail(ErrorCode::kInternal,
                fmt::format("{} ({}): expected {} by {}", refusal.name, refusal.requester,
                            refusal.expected_code, refusal.expected_by));
  }
  return {};
}

Result<v1::WatchAnswer> Story::AskHonest(EngineClient& engine, std::uint64_t sequence) {
  const FaceSet::Face& face = faces_.mated[sequence % faces_.mated.size()];
  if (!engine.Send(
          {sequence, "refused-" + std::to_string(sequence), "camera-1", faces_.Row(face.row)})) {
    return Fail(ErrorCode::kUnavailable, "the engine's stream has ended");
  }
  return engine.Receive();
}

Status Story::RefuseAtOpening(const std::string& name, const std::string& agreement,
                              const policy::SearchRequest& terms, ReasonCode expected) {
  COMITY_ASSIGN_OR_RETURN(const auto proposed, CreateDeployment(*council_, agreement, terms));
  COMITY_ASSIGN_OR_RETURN(
      const auto engine,
      EngineClient::Open(council_->engine(), proposed.value("deployment", ""), clock_));
  COMITY_ASSIGN_OR_RETURN(const v1::WatchAnswer answer, AskHonest(*engine, 1));
  AddRefusal(name, "honest", answer.refused_by(), gateway::FromProto(answer.refused()),
             council_->name(), expected);
  COMITY_ASSIGN_OR_RETURN(const auto unchecked, UncheckedRequester::Create(
                                                    council_->unchecked_towards(*police_), clock_));
  COMITY_ASSIGN_OR_RETURN(const policy::Decision decision, unchecked->Open(terms));
  AddRefusal(name, "unchecked", police_->name(), decision, police_->name(), expected);
  return {};
}

Status Story::RefuseWithoutAgreement() {
  policy::SearchRequest terms = TermsOf(kDirect);
  terms.requester = *policy::AgencyId::Parse(health_->name());
  COMITY_ASSIGN_OR_RETURN(const auto proposed, CreateDeployment(*health_, kDirect, terms));
  const policy::Decision own = DecisionOf(proposed["refused"]);
  AddRefusal("no-agreement", "honest", health_->name(), own, health_->name(),
             ReasonCode::kNoAgreement);
  COMITY_ASSIGN_OR_RETURN(const auto unchecked,
                          UncheckedRequester::Create(health_->unchecked_towards(*police_), clock_));
  COMITY_ASSIGN_OR_RETURN(const policy::Decision decision, unchecked->Open(terms));
  AddRefusal("no-agreement", "unchecked", police_->name(), decision, police_->name(),
             ReasonCode::kNoAgreement);
  return {};
}

Status Story::RefuseOverCapacity() {
  const policy::SearchRequest terms = TermsOf(kSmall);
  COMITY_ASSIGN_OR_RETURN(const auto proposed, CreateDeployment(*council_, kSmall, terms));
  short_deployment_ = proposed.value("deployment", "");
  COMITY_ASSIGN_OR_RETURN(const auto engine,
                          EngineClient::Open(council_->engine(), short_deployment_, clock_));
  constexpr std::uint64_t kCapacity = 5;  // of the agreement
  v1::WatchAnswer answer;
  for (std::uint64_t sequence = 1; sequence <= kCapacity + 1; ++sequence) {
    COMITY_ASSIGN_OR_RETURN(answer, AskHonest(*engine, sequence));
    if (sequence <= kCapacity && !answer.has_answered()) {
      return Fail(ErrorCode::kInternal, "refused before the capacity was used up");
    }
  }
  AddRefusal("over-capacity", "honest", answer.refused_by(), gateway::FromProto(answer.refused()),
             council_->name(), ReasonCode::kCapacityExhausted);
  COMITY_ASSIGN_OR_RETURN(const auto unchecked, UncheckedRequester::Create(
                                                    council_->unchecked_towards(*police_), clock_));
  COMITY_ASSIGN_OR_RETURN(const policy::Decision decision, unchecked->Open(terms));
  AddRefusal("over-capacity", "unchecked", police_->name(), decision, police_->name(),
             ReasonCode::kCapacityExhausted);
  return {};
}

Status Story::RefuseSuspended() {
  const policy::SearchRequest terms = TermsOf(kDirect);
  COMITY_ASSIGN_OR_RETURN(const auto proposed, CreateDeployment(*council_, kDirect, terms));
  const std::string deployment = proposed.value("deployment", "");
  COMITY_ASSIGN_OR_RETURN(const auto engine,
                          EngineClient::Open(council_->engine(), deployment, clock_));
  COMITY_ASSIGN_OR_RETURN(const auto unchecked, UncheckedRequester::Create(
                                                    council_->unchecked_towards(*police_), clock_));
  COMITY_ASSIGN_OR_RETURN(const policy::Decision opened, unchecked->Open(terms));
  const auto& face = faces_.non_mated.front();
  COMITY_ASSIGN_OR_RETURN(const v1::WatchAnswer before, AskHonest(*engine, 1));
  COMITY_ASSIGN_OR_RETURN(const v1::SearchAnswer searched,
                          unchecked->Probe(faces_.Row(face.row), *terms.agreement));
  if (!before.has_answered() || searched.decision().code() != v1::DECISION_CODE_PERMIT) {
    return Fail(ErrorCode::kInternal, "a search before the suspension was not permitted");
  }
  COMITY_ASSIGN_OR_RETURN(const auto suspended,
                          police_->cli("dpo").Ask({"agreement", "suspend", kDirect, "--reason",
                                                   "A complaint is being looked into."}));
  COMITY_ASSIGN_OR_RETURN(const v1::WatchAnswer answer, AskHonest(*engine, 2));
  AddRefusal("suspended-mid-stream", "honest", answer.refused_by(),
             gateway::FromProto(answer.refused()), council_->name(),
             ReasonCode::kAgreementSuspended);
  COMITY_ASSIGN_OR_RETURN(const v1::SearchAnswer refused,
                          unchecked->Probe(faces_.Row(face.row), *terms.agreement));
  AddRefusal("suspended-mid-stream", "unchecked", police_->name(),
             gateway::FromProto(refused.decision()), police_->name(),
             ReasonCode::kAgreementSuspended);
  COMITY_RETURN_IF_ERROR(LiftSuspension(suspended.value("statement", "")));
  COMITY_ASSIGN_OR_RETURN(const v1::WatchAnswer after, AskHonest(*engine, 3));
  if (!after.has_answered()) {
    return Fail(ErrorCode::kInternal, "the stream did not go on after the suspension was lifted");
  }
  fmt::print("  the suspension was lifted by two signatories; the same stream goes on\n");
  return {};
}

Status Story::LiftSuspension(const std::string& suspension) {
  for (const char* signatory : {"siro", "chief"}) {
    COMITY_RETURN_IF_ERROR(
        police_->cli(signatory).Run({"agreement", "resume", kDirect, "--lifts", suspension,
                                     "--reason", "The complaint was unfounded."}));
  }
  return {};
}

}  // namespace comity::demo
