// SPDX-License-Identifier: Apache-2.0
#include "tests/integration/fanout_world.h"

#include <fmt/format.h>

#include <cmath>

#include "crypto/base/check.h"
#include "services/gateway/wire/convert_time.h"
#include "tests/integration/live_acts.h"

namespace comity::testing {
namespace {

policy::Instant Whole(const runtime::Clock& clock) {
  return std::chrono::floor<std::chrono::seconds>(clock.Now());
}

template <typename Engine>
void FillEngine(Engine& engine) {
  engine.set_name("facenet");
  engine.set_version("20180402");
  engine.set_dimension(FanoutWorld::kDimension);
}

DefinitionText ListFor(const std::string& agreement, const runtime::Clock& clock) {
  DefinitionText text;
  text.reference = "lantern";
  text.agreements = {agreement};
  text.starts_at = Whole(clock) - std::chrono::hours(1);
  text.ends_at = Whole(clock) + std::chrono::hours(20);
  return text;
}

}  // namespace

FanoutWorld::FanoutWorld(std::size_t holders, const Change& change) {
  std::vector<const LiveAgency*> peers;
  for (std::size_t i = 0; i < holders; ++i) {
    holders_.push_back(std::make_unique<LiveAgency>(fmt::format("holder-{:02}", i)));
    peers.push_back(holders_.back().get());
  }
  for (const auto& holder : holders_) holder->Start({&council_});
  council_.Start(peers);
  AwaitPartners(council_);
  for (const auto& holder : holders_) AwaitPartners(*holder);
  for (std::size_t i = 0; i < holders; ++i) {
    faces_.push_back(Stranger());
    Agree(i, change);
    FillList(*holders_[i], ListFor(AgreementId(i), clock_), {faces_.back()});
  }
  AwaitInForce(council_, holders);
  for (const auto& holder : holders_) AwaitInForce(*holder, 1);
}

std::vector<float> FanoutWorld::Stranger() {
  std::normal_distribution<float> normal;
  std::vector<float> values(kDimension);
  double sum = 0;
  for (float& value : values) {
    value = normal(random_);
    sum += double{value} * double{value};
  }
  for (float& value : values) value = static_cast<float>(value / std::sqrt(sum));
  return values;
}

void FanoutWorld::Agree(std::size_t i, const Change& change) {
  AgreementText text;
  text.id = AgreementId(i);
  text.requester = council_.party_keys();
  text.holder = holders_[i]->party_keys();
  text.roles = {"engine", "operator"};
  text.uses = {"live", "retrospective"};
  text.effective_from = Whole(clock_) - std::chrono::hours(24);
  text.effective_until = Whole(clock_) + std::chrono::hours(24 * 30);
  text.attachment_until = text.effective_until;
  if (change) change(i, text);
  const std::string yaml = WriteAgreement(text);
  refs_.push_back(RefOf(text, yaml));
  for (LiveAgency* agency : {&council_, holders_[i].get()}) agency->SubmitDocument(yaml);
  for (LiveAgency* agency : {&council_, holders_[i].get()}) agency->Approve(refs_.back());
}

void FanoutWorld::Suspend(std::size_t holder) {
  policy::Statement suspension;
  suspension.kind = policy::StatementKind::kSuspension;
  suspension.agreement = refs_.at(holder);
  suspension.text = "A complaint is being looked into.";
  holders_.at(holder)->Say("dpo", suspension);
}

std::string FanoutWorld::Deploy() {
  v1::DeploymentDefinition definition;
  for (std::size_t i = 0; i < size(); ++i) definition.add_agreements(AgreementId(i));
  definition.set_purpose("court-order-arrest");
  definition.add_list_categories("wanted-by-courts");
  FillEngine(*definition.mutable_engine());
  definition.set_engine_name("cameras");
  definition.set_threshold(0.6);
  definition.set_place("Town square");
  definition.set_reason("Market day");
  definition.set_case_ref("case-7");
  definition.set_mode(mode_);
  *definition.mutable_starts_at() = gateway::ToProto(Whole(clock_) - std::chrono::minutes(1));
  *definition.mutable_ends_at() = gateway::ToProto(Whole(clock_) + std::chrono::hours(1));
  definition.set_expected_faces(1000);
  definition.set_false_match_rate(0.000001);
  definition.set_test_report("laboratory report 12");
  definition.set_faces_per_false_alert(1000);
  const std::string deployment = StartDeployment(council_, definition);
  AwaitValidated(council_, deployment);
  return deployment;
}

std::unique_ptr<EngineClient> FanoutWorld::Watch(const std::string& deployment) {
  auto engine = EngineClient::Open(council_.engine(), deployment, clock_);
  if (!engine) fmt::print(stderr, "{}\n", engine.error().detail);
  COMITY_CHECK(engine.has_value());
  return *std::move(engine);
}

v1::IdentifyRequest FanoutWorld::Request(const std::vector<float>& face) const {
  v1::IdentifyRequest request;
  request.set_purpose("court-order-arrest");
  request.set_case_ref("EV-2026-114");
  request.mutable_offence()->set_code("theft-act-1968-s8");
  request.mutable_offence()->set_max_penalty_years(14);
  request.set_aim(v1::SEARCH_AIM_IDENTIFY);
  request.set_subject_status(v1::SUBJECT_STATUS_SUSPECT);
  FillEngine(*request.mutable_engine());
  request.set_embedding(face.data(), face.size() * sizeof(float));
  request.set_threshold(0.6);
  request.add_list_categories("wanted-by-courts");
  request.set_mode(mode_);
  request.set_capture_ref("desk-17");
  return request;
}

grpc::Status FanoutWorld::Identify(const v1::IdentifyRequest& request,
                                   v1::IdentifyResponse& response, const std::string& person) {
  grpc::ClientContext context;
  const auto stub = v1::Recognition::NewStub(council_.ChannelOf(person));
  return stub->Identify(&context, request, &response);
}

v1::IdentifyResponse FanoutWorld::Identify(const v1::IdentifyRequest& request) {
  v1::IdentifyResponse response;
  const grpc::Status status = Identify(request, response, "operator");
  if (!status.ok()) fmt::print(stderr, "{}\n", status.error_message());
  COMITY_CHECK(status.ok());
  return response;
}

v1::OffersResponse FanoutWorld::Offers(const std::string& holder) {
  grpc::ClientContext context;
  v1::OffersRequest request;
  v1::OffersResponse response;
  request.set_holder(holder);
  const auto stub = v1::Recognition::NewStub(council_.ChannelOf("operator"));
  const grpc::Status status = stub->Offers(&context, request, &response);
  if (!status.ok()) fmt::print(stderr, "{}\n", status.error_message());
  COMITY_CHECK(status.ok());
  return response;
}

const v1::HolderResult& ResultOf(const v1::IdentifyResponse& response, const std::string& holder) {
  for (const v1::HolderResult& result : response.holders()) {
    if (result.holder() == holder) return result;
  }
  fmt::print(stderr, "no result of {} in {}\n", holder, response.DebugString());
  COMITY_CHECK(false);
}

}  // namespace comity::testing
