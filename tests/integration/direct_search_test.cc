// SPDX-License-Identifier: Apache-2.0
// The main job with two real gateways over loopback mutual TLS.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "tests/integration/live_agency.h"
#include "tests/support/result_matchers.h"

namespace comity::testing {
namespace {

constexpr std::uint32_t kDimension = 128;
using Template = std::vector<float>;

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

std::string EntryLine(const std::string& reference, const std::string& category,
                      policy::Instant now) {
  return fmt::format(
      R"({{"reference":"{}","category":"{}","image":{{"source_kind":"custody","acquisition_legal_basis":"PACE s.64A"}},"rationale":{{"necessity":"court warrant","proportionality":"named person","at":"{}"}},"response":{{"priority":"amber","text":"Stop and verify"}},"valid_from":"{}","expires_at":"{}"}})",
      reference, category, policy::EncodeInstant(now - std::chrono::hours(2)),
      policy::EncodeInstant(now - std::chrono::hours(1)),
      policy::EncodeInstant(now + std::chrono::hours(12)));
}

class DirectSearch : public ::testing::Test {
 protected:
  void SetUp() override {
    police_.Start({&council_});
    council_.Start({&police_});
    text_.requester = council_.party_keys();
    text_.holder = police_.party_keys();
    const auto now = std::chrono::floor<std::chrono::seconds>(clock_.Now());
    text_.effective_from = now - std::chrono::hours(24);
    text_.effective_until = now + std::chrono::hours(24 * 30);
    text_.attachment_until = now + std::chrono::hours(24 * 30);
    yaml_ = WriteAgreement(text_);
    ref_ = RefOf(text_, yaml_);
    police_.SubmitDocument(yaml_);
    council_.SubmitDocument(yaml_);
    police_.Approve(ref_);
    council_.Approve(ref_);
  }

  void ImportEntries(std::size_t count) {
    std::string jsonl;
    std::string floats;
    for (std::size_t i = 0; i < count; ++i) {
      entries_.push_back(RandomTemplate(random_));
      jsonl += EntryLine("ref-" + std::to_string(i), "wanted-by-courts", clock_.Now()) + "\n";
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
    begin.mutable_engine()->set_name("facenet");
    begin.mutable_engine()->set_version("20180402");
    begin.mutable_engine()->set_dimension(kDimension);
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

  v1::CreateDeploymentResponse CreateDeployment(const std::string& purpose) {
    v1::CreateDeploymentRequest request;
    v1::DeploymentDefinition& definition = *request.mutable_definition();
    definition.set_agreement(text_.id);
    definition.set_purpose(purpose);
    definition.add_list_categories("wanted-by-courts");
    definition.mutable_engine()->set_name("facenet");
    definition.mutable_engine()->set_version("20180402");
    definition.mutable_engine()->set_dimension(kDimension);
    definition.set_engine_name("cameras");
    definition.set_threshold(0.6);
    definition.set_place("Town square");
    definition.set_reason("Market day");
    definition.set_case_ref("case-7");
    definition.set_mode(v1::SEARCH_MODE_DIRECT);
    definition.mutable_starts_at()->set_seconds(Seconds(-60));
    definition.mutable_ends_at()->set_seconds(Seconds(3600));
    grpc::ClientContext context;
    v1::CreateDeploymentResponse response;
    const grpc::Status status = council_.deployments()->Create(&context, request, &response);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return response;
  }

  std::int64_t Seconds(int offset) {
    return std::chrono::duration_cast<std::chrono::seconds>(clock_.Now().time_since_epoch())
               .count() + offset;
  }

  v1::WatchAnswer Ask(EngineClient& engine, std::uint64_t sequence, const Template& values) {
    EXPECT_TRUE(engine.Send({sequence, "capture-" + std::to_string(sequence), "camera-1", values}));
    auto answer = engine.Receive();
    EXPECT_THAT(answer, IsOk());
    return answer ? *answer : v1::WatchAnswer();
  }

  void Suspend() {
    policy::Statement suspension;
    suspension.kind = policy::StatementKind::kSuspension;
    suspension.agreement = ref_;
    suspension.text = "A complaint is being looked into.";
    police_.Say("dpo", suspension);
  }

  policy::SearchRequest Terms() {
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

  runtime::SystemClock clock_;
  std::mt19937_64 random_{20261125};
  LiveAgency police_{"northshire-police"};
  LiveAgency council_{"eastvale-council"};
  AgreementText text_;
  std::string yaml_;
  policy::AgreementRef ref_;
  std::vector<Template> entries_;
};

TEST_F(DirectSearch, AListedFaceBecomesAnAlertAndAPasserByDoesNot) {
  ImportEntries(200);
  const auto deployment = CreateDeployment("court-order-arrest");
  ASSERT_EQ(deployment.holders_size(), 1);
  EXPECT_EQ(deployment.holders(0).decision().code(), v1::DECISION_CODE_PERMIT);
  auto engine = EngineClient::Open(council_.engine(), deployment.deployment(), clock_);
  ASSERT_THAT(engine, IsOk());
  const v1::WatchAnswer hit = Ask(**engine, 1, entries_[17]);
  ASSERT_EQ(hit.answered().alerts_size(), 1) << hit.DebugString();
  EXPECT_EQ(hit.answered().alerts(0).hit().reference(), "ref-17");
  EXPECT_EQ(hit.answered().entries(), 200u);
  EXPECT_EQ(hit.holder(), "northshire-police");
  const v1::WatchAnswer miss = Ask(**engine, 2, RandomTemplate(random_));
  EXPECT_TRUE(miss.has_answered());
  EXPECT_EQ(miss.answered().alerts_size(), 0);
  // A further frame of the same face joins its alert.
  const v1::WatchAnswer again = Ask(**engine, 3, entries_[17]);
  ASSERT_EQ(again.answered().alerts_size(), 1);
  EXPECT_TRUE(again.answered().alerts(0).merged());
  EXPECT_EQ(again.answered().alerts(0).alert(), hit.answered().alerts(0).alert());
  (*engine)->DoneSending();
  EXPECT_THAT((*engine)->Receive(), FailsWith(ErrorCode::kNotFound));
  EXPECT_THAT((*engine)->Finish(), IsOk());
}

TEST_F(DirectSearch, ASuspensionBitesInTheOpenStreamAtBothGateways) {
  ImportEntries(10);
  const auto deployment = CreateDeployment("court-order-arrest");
  auto engine = EngineClient::Open(council_.engine(), deployment.deployment(), clock_);
  ASSERT_THAT(engine, IsOk());
  auto unchecked = UncheckedRequester::Create(council_.unchecked_towards(police_), clock_);
  ASSERT_THAT(unchecked, IsOk());
  ASSERT_THAT((*unchecked)->Open(Terms()), IsOk());
  EXPECT_TRUE(Ask(**engine, 1, entries_[0]).has_answered());
  ASSERT_THAT((*unchecked)->Probe(entries_[0], ref_), IsOk());
  Suspend();
  const v1::WatchAnswer refused = Ask(**engine, 2, entries_[0]);
  EXPECT_EQ(refused.refused().code(), v1::DECISION_CODE_AGREEMENT_SUSPENDED)
      << refused.DebugString();
  EXPECT_EQ(refused.refused_by(), "eastvale-council");
  const auto by_holder = (*unchecked)->Probe(entries_[0], ref_);
  ASSERT_THAT(by_holder, IsOk());
  EXPECT_EQ(by_holder->decision().code(), v1::DECISION_CODE_AGREEMENT_SUSPENDED);
  EXPECT_EQ(by_holder->hits_size(), 0);
}

TEST_F(DirectSearch, AWrongPurposeIsRefusedByBothGateways) {
  ImportEntries(10);
  const auto deployment = CreateDeployment("missing-person");
  ASSERT_EQ(deployment.holders_size(), 1);
  EXPECT_EQ(deployment.holders(0).decision().code(), v1::DECISION_CODE_PURPOSE_NOT_COVERED);
  auto unchecked = UncheckedRequester::Create(council_.unchecked_towards(police_), clock_);
  ASSERT_THAT(unchecked, IsOk());
  policy::SearchRequest terms = Terms();
  terms.purpose = policy::PurposeCode::Parse("missing-person").value();
  const auto decision = (*unchecked)->Open(terms);
  ASSERT_THAT(decision, IsOk());
  EXPECT_EQ(decision->code, policy::ReasonCode::kPurposeNotCovered);
}

TEST_F(DirectSearch, ARepeatedProbeEndsTheSession) {
  ImportEntries(10);
  auto unchecked = UncheckedRequester::Create(council_.unchecked_towards(police_), clock_);
  ASSERT_THAT(unchecked, IsOk());
  ASSERT_THAT((*unchecked)->Open(Terms()), IsOk());
  const v1::SignedMessage probe = (*unchecked)->SignProbe(1, entries_[0], ref_);
  ASSERT_THAT((*unchecked)->SendRaw(probe), IsOk());
  EXPECT_THAT((*unchecked)->SendRaw(probe), FailsWith(ErrorCode::kConflict));
}

TEST_F(DirectSearch, AWithdrawnEntryStopsMatchingAtOnce) {
  ImportEntries(10);
  const auto deployment = CreateDeployment("court-order-arrest");
  auto engine = EngineClient::Open(council_.engine(), deployment.deployment(), clock_);
  ASSERT_THAT(engine, IsOk());
  EXPECT_EQ(Ask(**engine, 1, entries_[3]).answered().alerts_size(), 1);
  v1::WithdrawEntryRequest request;
  request.set_watchlist("lantern");
  request.set_reference("ref-3");
  request.set_reason("found");
  grpc::ClientContext context;
  v1::WithdrawEntryResponse response;
  ASSERT_TRUE(police_.watchlists()->Withdraw(&context, request, &response).ok());
  EXPECT_EQ(response.active(), 9u);
  const v1::WatchAnswer answer = Ask(**engine, 2, entries_[3]);
  EXPECT_TRUE(answer.has_answered());
  EXPECT_EQ(answer.answered().alerts_size(), 0);
}

TEST_F(DirectSearch, AHolderThatIsGoneIsReportedAndComesBack) {
  ImportEntries(10);
  const auto deployment = CreateDeployment("court-order-arrest");
  auto engine = EngineClient::Open(council_.engine(), deployment.deployment(), clock_);
  ASSERT_THAT(engine, IsOk());
  EXPECT_TRUE(Ask(**engine, 1, entries_[0]).has_answered());
  police_.Stop();
  EXPECT_TRUE(Ask(**engine, 2, entries_[0]).has_unanswered());
  police_.Start({&council_});
  bool answered = false;
  for (std::uint64_t sequence = 3; sequence < 100 && !answered; ++sequence) {
    answered = Ask(**engine, sequence, entries_[0]).has_answered();
    if (!answered) std::this_thread::sleep_for(std::chrono::milliseconds(200));
  }
  EXPECT_TRUE(answered);
}

}  // namespace
}  // namespace comity::testing
