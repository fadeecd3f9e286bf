// SPDX-License-Identifier: Apache-2.0
#include "tests/integration/direct_search_world.h"

#include <fmt/format.h>

#include <cmath>
#include <utility>

#include "services/gateway/convert_time.h"
#include "tests/support/result_matchers.h"

namespace comity::testing {
namespace {

std::string EntryLine(const std::string& reference, policy::Instant now) {
  return fmt::format(
      R"({{"reference":"{}","category":"wanted-by-courts",)"
      R"("image":{{"source_kind":"custody","acquisition_legal_basis":"PACE s.64A"}},)"
      R"("rationale":{{"necessity":"court warrant","proportionality":"named person","at":"{}"}},)"
      R"("response":{{"priority":"amber","text":"Stop and verify"}},)"
      R"("valid_from":"{}","expires_at":"{}"}})",
      reference, policy::EncodeInstant(now - std::chrono::hours(2)),
      policy::EncodeInstant(now - std::chrono::hours(1)),
      policy::EncodeInstant(now + std::chrono::hours(12)));
}

void FillEngine(v1::EngineProfile& engine) {
  engine.set_name("facenet");
  engine.set_version("20180402");
  engine.set_dimension(kDimension);
}

}  // namespace

Template RandomTemplate(std::mt19937_64& random) {
  std::normal_distribution<float> normal;
  Template values(kDimension);
  double sum = 0;
  for (float& value : values) {
    value = normal(random);
    sum += double{value} * double{value};
  }
  for (float& value : values) value = static_cast<float>(value / std::sqrt(sum));
  return values;
}

void DirectSearchWorld::SetUp() {
  police_.Start({&council_});
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
}

void DirectSearchWorld::ImportEntries(std::size_t count) {
  std::string jsonl;
  std::string floats;
  for (std::size_t i = 0; i < count; ++i) {
    entries_.push_back(RandomTemplate(random_));
    jsonl += EntryLine("ref-" + std::to_string(i), clock_.Now()) + "\n";
    floats.append(reinterpret_cast<const char*>(entries_.back().data()),
                  kDimension * sizeof(float));
  }
  grpc::ClientContext context;
  v1::ImportWatchlistResponse response;
  const auto stub = police_.watchlists();
  const auto writer = stub->Import(&context, &response);
  v1::ImportWatchlistRequest request;
  v1::ImportBegin& begin = *request.mutable_begin();
  begin.set_watchlist("lantern");
  begin.set_format(v1::TEMPLATE_FORMAT_FLOAT32);
  FillEngine(*begin.mutable_engine());
  writer->Write(request);
  request.set_entries_chunk(jsonl);
  writer->Write(request);
  request.set_templates_chunk(floats);
  writer->Write(request);
  writer->WritesDone();
  const grpc::Status status = writer->Finish();
  ASSERT_TRUE(status.ok()) << status.error_message();
  ASSERT_EQ(response.entries(), count) << response.DebugString();
}

v1::DeploymentDefinition DirectSearchWorld::Definition() const {
  v1::DeploymentDefinition definition;
  definition.set_agreement(text_.id);
  definition.set_purpose("court-order-arrest");
  definition.add_list_categories("wanted-by-courts");
  FillEngine(*definition.mutable_engine());
  definition.set_engine_name("cameras");
  definition.set_threshold(0.6);
  definition.set_place("Town square");
  definition.set_reason("Market day");
  definition.set_case_ref("case-7");
  definition.set_mode(v1::SEARCH_MODE_DIRECT);
  *definition.mutable_starts_at() = gateway::ToProto(Now() - std::chrono::minutes(1));
  *definition.mutable_ends_at() = gateway::ToProto(Now() + std::chrono::hours(1));
  return definition;
}

v1::CreateDeploymentResponse DirectSearchWorld::CreateDeployment(
    const v1::DeploymentDefinition& definition) {
  v1::CreateDeploymentRequest request;
  *request.mutable_definition() = definition;
  grpc::ClientContext context;
  v1::CreateDeploymentResponse response;
  const grpc::Status status = council_.deployments()->Create(&context, request, &response);
  EXPECT_TRUE(status.ok()) << status.error_message();
  return response;
}

v1::CreateDeploymentResponse DirectSearchWorld::CreateDeployment(const std::string& purpose) {
  v1::DeploymentDefinition definition = Definition();
  definition.set_purpose(purpose);
  return CreateDeployment(definition);
}

std::unique_ptr<EngineClient> DirectSearchWorld::Watch(std::string deployment) {
  if (deployment.empty()) deployment = CreateDeployment(Definition()).deployment();
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
  terms.engine = policy::EngineProfile{"facenet", "20180402", kDimension};
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
