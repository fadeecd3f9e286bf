// SPDX-License-Identifier: Apache-2.0
#include "tests/integration/direct_search_world.h"

#include <cmath>
#include <thread>
#include <utility>

#include "services/gateway/wire/convert_time.h"
#include "tests/integration/live_acts.h"
#include "tests/support/result_matchers.h"
#include "tests/support/start_deployment.h"

namespace comity::testing {
namespace {

void FillEngine(std::uint32_t dimension, v1::EngineProfile& engine) {
  engine.set_name("facenet");
  engine.set_version("20180402");
  engine.set_dimension(dimension);
}

// Whether the agency has every statement that the agreement needs.
bool IsComplete(const LiveAgency& agency, const policy::AgreementRef& agreement) {
  grpc::ClientContext context;
  v1::ListAgreementsResponse response;
  const auto status = agency.agreements()->List(&context, v1::ListAgreementsRequest(), &response);
  EXPECT_TRUE(status.ok()) << status.error_message();
  for (const v1::AgreementSummary& summary : response.agreements()) {
    if (summary.agreement().id() == agreement.id.text() &&
        summary.agreement().version() == agreement.version) {
      return summary.missing_size() == 0;
    }
  }
  return false;
}

}  // namespace

Template RandomTemplate(std::mt19937_64& random, std::uint32_t dimension) {
  std::normal_distribution<float> normal;
  Template values(dimension);
  double sum = 0;
  for (float& value : values) {
    value = normal(random);
    sum += double{value} * double{value};
  }
  for (float& value : values) value = static_cast<float>(value / std::sqrt(sum));
  return values;
}

void DirectSearchWorld::SetUp() {
  std::vector<const LiveAgency*> partners = further_partners();
  partners.push_back(&council_);
  police_.Start(partners);
  council_.Start({&police_});
  text_.requester = council_.party_keys();
  text_.holder = police_.party_keys();
  text_.effective_from = Now() - std::chrono::hours(24);
  text_.effective_until = Now() + std::chrono::hours(24 * 30);
  text_.attachment_until = Now() + std::chrono::hours(24 * 30);
}

void DirectSearchWorld::Agree() {
  yaml_ = WriteAgreement(text_);
  ref_ = RefOf(text_, yaml_);
  police_.SubmitDocument(yaml_);
  council_.SubmitDocument(yaml_);
  police_.Approve(ref_);
  council_.Approve(ref_);
  // Each side's statements travel to the other by themselves.
  for (int i = 0; i < 1200; ++i) {
    if (IsComplete(police_, ref_) && IsComplete(council_, ref_)) return;
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  FAIL() << "the agreement does not come into force at both sides";
}

void DirectSearchWorld::ImportEntries(std::size_t count) {
  for (std::size_t i = 0; i < count; ++i)
    entries_.push_back(RandomTemplate(random_, text_.dimension));
  DefinitionText list;
  list.agreements = {text_.id};
  list.purpose = text_.purpose;
  list.dimension = text_.dimension;
  list.starts_at = Now() - std::chrono::minutes(5);
  list.ends_at = Now() + std::chrono::hours(12);
  FillList(police_, list, entries_);
}

v1::DeploymentDefinition DirectSearchWorld::Definition() const {
  v1::DeploymentDefinition definition;
  definition.add_agreements(text_.id);
  definition.set_purpose("court-order-arrest");
  definition.add_list_categories("wanted-by-courts");
  FillEngine(text_.dimension, *definition.mutable_engine());
  definition.set_engine_name("cameras");
  definition.set_threshold(0.6);
  definition.set_place("Town square");
  definition.set_reason("Market day");
  definition.set_case_ref("case-7");
  definition.set_mode(text_.mode == "sealed" ? v1::SEARCH_MODE_SEALED : v1::SEARCH_MODE_DIRECT);
  AddForecast(definition);
  *definition.mutable_starts_at() = gateway::ToProto(Now() - std::chrono::minutes(1));
  *definition.mutable_ends_at() = gateway::ToProto(Now() + std::chrono::hours(1));
  return definition;
}

v1::ProposeDeploymentResponse DirectSearchWorld::StartDeployment(
    const v1::DeploymentDefinition& definition) {
  return council_.StartDeployment(definition);
}

v1::ProposeDeploymentResponse DirectSearchWorld::StartDeployment(const std::string& purpose) {
  v1::DeploymentDefinition definition = Definition();
  definition.set_purpose(purpose);
  return StartDeployment(definition);
}

std::unique_ptr<EngineClient> DirectSearchWorld::Watch(std::string deployment) {
  if (deployment.empty()) deployment = StartDeployment(Definition()).deployment();
  auto engine = EngineClient::Open(council_.engine(), deployment, clock_);
  EXPECT_THAT(engine, IsOk());
  return engine ? *std::move(engine) : nullptr;
}

v1::WatchAnswer DirectSearchWorld::Ask(EngineClient& engine, std::uint64_t sequence,
                                       const Template& values) {
  EXPECT_TRUE(engine.Send({sequence, "capture-" + std::to_string(sequence), "camera-1", values}));
  auto answer = engine.Receive();
  EXPECT_THAT(answer, IsOk());
  return answer ? *answer : v1::WatchAnswer();
}

std::unique_ptr<UncheckedRequester> DirectSearchWorld::Unchecked() {
  auto requester = UncheckedRequester::Create(council_.unchecked_towards(police_), clock_);
  EXPECT_THAT(requester, IsOk());
  return requester ? *std::move(requester) : nullptr;
}

policy::SearchRequest DirectSearchWorld::Terms() const {
  policy::SearchRequest terms;
  terms.requester = policy::AgencyId::Parse(council_.name()).value();
  terms.holder = policy::AgencyId::Parse(police_.name()).value();
  terms.agreement = ref_;
  terms.purpose = policy::PurposeCode::Parse("court-order-arrest").value();
  terms.role = policy::RequesterRole::kEngine;
  terms.use = policy::UseMode::kLive;
  terms.mode = policy::SearchMode::kDirect;
  terms.list_categories = {policy::ListCategory::Parse("wanted-by-courts").value()};
  terms.engine = policy::EngineProfile{"facenet", "20180402", text_.dimension};
  terms.threshold = 0.6;
  return terms;
}

void DirectSearchWorld::Suspend() {
  policy::Statement suspension;
  suspension.kind = policy::StatementKind::kSuspension;
  suspension.agreement = ref_;
  suspension.text = "A complaint is being looked into.";
  police_.Say("dpo", suspension);
}

}  // namespace comity::testing
