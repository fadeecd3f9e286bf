// SPDX-License-Identifier: Apache-2.0
// The agency port: who may call what, and what an engine is told.
#include <grpcpp/channel.h>
#include <gtest/gtest.h>

#include <limits>

#include "services/audit/events.h"
#include "services/transport/status.h"
#include "tests/integration/direct_search_world.h"
#include "tests/integration/exported_log.h"
#include "tests/support/manual_clock.h"
#include "tests/support/result_matchers.h"

namespace comity::testing {
namespace {

using ::testing::HasSubstr;

class AgencyPort : public DirectSearchWorld {
 protected:
  void SetUp() override {
    DirectSearchWorld::SetUp();
    Agree();
    ImportEntries(10);
  }
  // How the stream ends after this one face.
  Status EndAfter(const EngineClient::Face& face) {
    const auto engine = Watch(deployment_);
    EXPECT_TRUE(engine->Send(face));
    EXPECT_THAT(engine->Receive(), FailsWith(ErrorCode::kNotFound));
    return engine->Finish();
  }
  static void Names(const Status& status, std::string_view field) {
    ASSERT_THAT(status, FailsWith(ErrorCode::kInvalidArgument));
    EXPECT_THAT(status.error().detail, HasSubstr(std::string(field)));
  }
  v1::WatchAnswer Hit() {
    engine_ = Watch();
    return Ask(*engine_, 1, entries_[3]);
  }
  v1::ListAlertsResponse ListAlerts() {
    grpc::ClientContext context;
    v1::ListAlertsResponse response;
    EXPECT_TRUE(council_.alerts()->List(&context, v1::ListAlertsRequest(), &response).ok());
    return response;
  }
  Result<v1::Alert> Acknowledge(const std::string& alert, v1::Outcome outcome) {
    grpc::ClientContext context;
    v1::AcknowledgeAlertRequest request;
    request.set_alert(alert);
    request.set_outcome(outcome);
    request.set_note("seen at the gate");
    v1::Alert response;
    const auto status = council_.alerts()->Acknowledge(&context, request, &response);
    if (status.ok()) return response;
    return Fail(transport::FromLocalGrpcStatus(status));
  }

  std::string deployment_;
  std::unique_ptr<EngineClient> engine_;
};

TEST_F(AgencyPort, RefusesAndLogsAnEngineThatSubmitsAnAgreement) {
  const auto stub = v1::Agreements::NewStub(council_.ChannelAs(council_.engine().identity_file));
  v1::SubmitAgreementRequest request;
  request.set_document(yaml_);
  grpc::ClientContext context;
  v1::SubmitAgreementResponse response;
  EXPECT_EQ(stub->Submit(&context, request, &response).error_code(),
            grpc::StatusCode::PERMISSION_DENIED);
  EXPECT_EQ(ExportLog(council_).Count(audit::kAuthorisationRefused), 1u);
}

TEST_F(AgencyPort, RefusesAndLogsAPersonThatStreams) {
  EngineSettings person = council_.engine();
  person.identity_file = council_.person_identity();
  const auto deployment = StartDeployment(Definition()).deployment();
  EXPECT_THAT(EngineClient::Open(person, deployment, clock_),
              FailsWith(ErrorCode::kPermissionDenied));
  EXPECT_EQ(ExportLog(council_).Count(audit::kAuthorisationRefused), 1u);
}

TEST_F(AgencyPort, TurnsAwayThePeopleOfAnotherAgency) {
  const auto stub = v1::Alerts::NewStub(council_.ChannelAs(police_.person_identity()));
  grpc::ClientContext context;
  v1::ListAlertsResponse response;
  EXPECT_EQ(stub->List(&context, v1::ListAlertsRequest(), &response).error_code(),
            grpc::StatusCode::UNAVAILABLE);
}

TEST_F(AgencyPort, GivesNoEngineTheDeploymentOfAnother) {
  const auto other = council_.IssueEngine("bodycams");
  const auto deployment = StartDeployment(Definition()).deployment();
  EXPECT_THAT(EngineClient::Open(other, deployment, clock_), FailsWith(ErrorCode::kNotFound));
  EXPECT_THAT(EngineClient::Open(council_.engine(), "d-none", clock_),
              FailsWith(ErrorCode::kNotFound));
  EXPECT_THAT(EngineClient::Open(council_.engine(), "../..", clock_),
              FailsWith(ErrorCode::kInvalidArgument));
}

TEST_F(AgencyPort, AnswersAFaceThatComesTooLateWithDeadlineAndDoesNotSearchIt) {
  const auto deployment = StartDeployment(Definition()).deployment();
  ManualClock engine_clock(clock_.Now() - std::chrono::seconds(31));
  auto engine = EngineClient::Open(council_.engine(), deployment, engine_clock);
  ASSERT_THAT(engine, IsOk());
  const v1::WatchAnswer late = Ask(**engine, 1, entries_[3]);
  EXPECT_EQ(late.unanswered().reason(), v1::Unanswered::REASON_DEADLINE) << late.DebugString();
  EXPECT_EQ(late.holder(), "northshire-police");
  EXPECT_EQ(ListAlerts().alerts_size(), 0);
  engine_clock.Set(clock_.Now());
  EXPECT_EQ(Ask(**engine, 2, entries_[3]).answered().alerts_size(), 1);
}

TEST_F(AgencyPort, EndsAStreamWhoseClockIsAhead) {
  const auto deployment = StartDeployment(Definition()).deployment();
  ManualClock engine_clock(clock_.Now() + std::chrono::seconds(75));
  auto engine = EngineClient::Open(council_.engine(), deployment, engine_clock);
  ASSERT_THAT(engine, IsOk());
  ASSERT_TRUE((*engine)->Send({1, "capture", "camera-1", entries_[0]}));
  EXPECT_THAT((*engine)->Receive(), FailsWith(ErrorCode::kNotFound));
  Names((*engine)->Finish(), "captured_at");
}

TEST_F(AgencyPort, NamesTheFieldThatEndsAStream) {
  deployment_ = StartDeployment(Definition()).deployment();
  const Template& good = entries_[0];
  Template not_a_number = good;
  not_a_number.back() = std::numeric_limits<float>::quiet_NaN();
  Template too_long = good;
  for (float& value : too_long) value *= 2;
  const Template short_one(good.begin(), good.end() - 1);
  Names(EndAfter({1, "capture", "camera-1", not_a_number}), "probe.embedding");
  Names(EndAfter({1, "capture", "camera-1", too_long}), "probe.embedding");
  Names(EndAfter({1, "capture", "camera-1", short_one}), "probe.embedding");
  Names(EndAfter({1, "capture", "camera-1", {}}), "probe.embedding");
  Names(EndAfter({1, "", "camera-1", good}), "probe.capture_ref");
  Names(EndAfter({1, std::string(129, 'x'), "camera-1", good}), "probe.capture_ref");
  Names(EndAfter({1, "a\nb", "camera-1", good}), "probe.capture_ref");
  Names(EndAfter({1, "capture", "", good}), "probe.camera");
  Names(EndAfter({1, "capture", std::string(65, 'x'), good}), "probe.camera");
}

TEST_F(AgencyPort, EndsAStreamWhoseSequenceDoesNotIncrease) {
  const auto engine = Watch();
  EXPECT_TRUE(Ask(*engine, 5, entries_[0]).has_answered());
  ASSERT_TRUE(engine->Send({5, "capture", "camera-1", entries_[0]}));
  EXPECT_THAT(engine->Receive(), FailsWith(ErrorCode::kNotFound));
  Names(engine->Finish(), "probe.sequence");
}

TEST_F(AgencyPort, ListsAnAlertWithAllThatAnOperatorNeeds) {
  const v1::WatchAnswer hit = Hit();
  ASSERT_EQ(hit.answered().alerts_size(), 1);
  const auto listed = ListAlerts();
  ASSERT_EQ(listed.alerts_size(), 1);
  const v1::Alert& alert = listed.alerts(0);
  EXPECT_EQ(alert.alert(), hit.answered().alerts(0).alert());
  EXPECT_EQ(alert.state(), "new");
  EXPECT_EQ(alert.holder(), "northshire-police");
  EXPECT_EQ(alert.hit().reference(), "ref-3");
  EXPECT_EQ(alert.hit().category(), "wanted-by-courts");
  EXPECT_FALSE(alert.hit().has_similarity());  // the agreement does not release it
  EXPECT_EQ(alert.exchange_id(), hit.exchange_id());
  EXPECT_EQ(alert.agreement().id(), text_.id);
  EXPECT_EQ(alert.frame_count(), 1u);
  EXPECT_EQ(alert.frames(0).capture_ref(), "capture-1");
  EXPECT_EQ(alert.expires_at().seconds() - alert.first_seen().seconds(), 24 * 3600);
}

TEST_F(AgencyPort, RecordsTheFirstOutcomeOfAnAlertAndNoOther) {
  const std::string alert = Hit().answered().alerts(0).alert();
  EXPECT_THAT(Acknowledge(alert, v1::OUTCOME_UNSPECIFIED), FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_THAT(Acknowledge("a-none", v1::OUTCOME_TRUE_MATCH), FailsWith(ErrorCode::kNotFound));
  const auto first = Acknowledge(alert, v1::OUTCOME_NOT_A_MATCH);
  ASSERT_THAT(first, IsOk());
  EXPECT_EQ(first->state(), "acknowledged");
  EXPECT_EQ(first->outcome(), v1::OUTCOME_NOT_A_MATCH);
  EXPECT_THAT(Acknowledge(alert, v1::OUTCOME_NOT_A_MATCH), IsOk());
  EXPECT_THAT(Acknowledge(alert, v1::OUTCOME_TRUE_MATCH), FailsWith(ErrorCode::kConflict));
  EXPECT_EQ(ExportLog(council_).Count(audit::kAlertAcknowledged), 1u);
}

TEST_F(AgencyPort, StreamsAlertsAsTheyComeAndChange) {
  const std::string known = Hit().answered().alerts(0).alert();
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(20));
  v1::WatchAlertsRequest request;
  request.set_include_open(true);
  const auto stub = council_.alerts();
  const auto reader = stub->Watch(&context, request);
  v1::Alert alert;
  ASSERT_TRUE(reader->Read(&alert));
  EXPECT_EQ(alert.alert(), known);
  const std::string news = Ask(*engine_, 2, entries_[4]).answered().alerts(0).alert();
  ASSERT_TRUE(reader->Read(&alert));
  EXPECT_EQ(alert.alert(), news);
  ASSERT_THAT(Acknowledge(news, v1::OUTCOME_TRUE_MATCH), IsOk());
  ASSERT_TRUE(reader->Read(&alert));
  EXPECT_EQ(alert.alert(), news);
  EXPECT_EQ(alert.state(), "acknowledged");
  context.TryCancel();
  EXPECT_FALSE(reader->Read(&alert));
}

}  // namespace
}  // namespace comity::testing
