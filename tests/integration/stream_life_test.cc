// SPDX-License-Identifier: Apache-2.0
// Long and interrupted use: pipelining, stops, restarts, and the two logs afterwards.
#include <gtest/gtest.h>

#include <map>
#include <thread>

#include "services/audit/events.h"
#include "services/transport/status.h"
#include "tests/integration/direct_search_world.h"
#include "tests/integration/exported_log.h"
#include "tests/support/result_matchers.h"

namespace comity::testing {
namespace {

using std::chrono::steady_clock;

class StreamLife : public DirectSearchWorld {
 protected:
  void SetUp() override {
    DirectSearchWorld::SetUp();
    Agree();
    ImportEntries(10);
  }
  void StopDeployment(const std::string& deployment) {
    grpc::ClientContext context;
    v1::StopDeploymentRequest request;
    request.set_deployment(deployment);
    request.set_reason("The market is over.");
    v1::StopDeploymentResponse response;
    const auto status = council_.deployments()->Stop(&context, request, &response);
    EXPECT_TRUE(status.ok()) << status.error_message();
  }
  v1::ListAlertsResponse ListAlerts() {
    grpc::ClientContext context;
    v1::ListAlertsResponse response;
    EXPECT_TRUE(council_.alerts()->List(&context, v1::ListAlertsRequest(), &response).ok());
    return response;
  }
  void RestartBoth() {
    council_.Stop();
    police_.Stop();
    police_.Start({&council_});
    council_.Start({&police_});
  }
};

TEST_F(StreamLife, AnswersEachOf500PipelinedFacesOnce) {
  constexpr std::uint64_t kFaces = 500;
  const auto engine = Watch();
  std::vector<Template> faces;
  for (std::uint64_t i = 0; i < kFaces; ++i) {
    faces.push_back(i % 10 == 0 ? entries_[i / 10 % 10] : RandomTemplate(random_));
  }
  // Sent as fast as the gateway reads: 64 are in flight.
  const std::jthread sender([&] {
    for (std::uint64_t i = 0; i < kFaces; ++i) {
      if (!engine->Send({i + 1, "capture-" + std::to_string(i + 1), "camera-1", faces[i]})) return;
    }
    engine->DoneSending();
  });
  std::map<std::uint64_t, int> answers;
  std::uint64_t hits = 0;
  while (const auto answer = engine->Receive()) {
    ++answers[answer->sequence()];
    EXPECT_TRUE(answer->has_answered()) << answer->DebugString();
    EXPECT_EQ(answer->capture_ref(), "capture-" + std::to_string(answer->sequence()));
    if (answer->answered().alerts_size() > 0) ++hits;
  }
  EXPECT_THAT(engine->Finish(), IsOk());
  EXPECT_EQ(answers.size(), kFaces);
  for (const auto& [sequence, count] : answers) EXPECT_EQ(count, 1) << sequence;
  EXPECT_EQ(hits, kFaces / 10);
}

TEST_F(StreamLife, EndsWithinASecondOfTheStopOfItsDeployment) {
  const auto deployment = StartDeployment(Definition()).deployment();
  const auto engine = Watch(deployment);
  ASSERT_TRUE(Ask(*engine, 1, entries_[0]).has_answered());
  const auto began = steady_clock::now();
  StopDeployment(deployment);
  EXPECT_THAT(engine->Receive(), FailsWith(ErrorCode::kNotFound));
  EXPECT_LT(steady_clock::now() - began, std::chrono::seconds(1));
  EXPECT_FALSE(engine->Finish().has_value());
  EXPECT_THAT(EngineClient::Open(council_.engine(), deployment, clock_),
              FailsWith(ErrorCode::kConflict));
}

TEST_F(StreamLife, RaisesNoAlertOnceTheDeploymentIsStopped) {
  const auto deployment = StartDeployment(Definition()).deployment();
  const auto engine = Watch(deployment);
  const std::jthread sender([&] {
    for (std::uint64_t i = 1; engine->Send({i, "capture", "camera-1", entries_[i % 10]}); ++i) {
    }
  });
  for (int i = 0; i < 20; ++i) ASSERT_THAT(engine->Receive(), IsOk());
  StopDeployment(deployment);
  const auto frames = [&] {
    std::uint32_t sum = 0;
    const auto alerts = ListAlerts();
    for (const auto& alert : alerts.alerts()) sum += alert.frame_count();
    return sum;
  };
  const auto at_stop = frames();
  ASSERT_GT(at_stop, 0U);
  while (engine->Receive()) {
  }
  std::this_thread::sleep_for(std::chrono::milliseconds(500));
  EXPECT_EQ(frames(), at_stop);
}

TEST_F(StreamLife, EndsWhenItsDeploymentEnds) {
  v1::DeploymentDefinition definition = Definition();
  definition.mutable_ends_at()->set_seconds(definition.starts_at().seconds() + 63);
  const auto engine = Watch(StartDeployment(definition).deployment());
  ASSERT_TRUE(Ask(*engine, 1, entries_[0]).has_answered());
  EXPECT_THAT(engine->Receive(), FailsWith(ErrorCode::kNotFound));
  EXPECT_FALSE(engine->Finish().has_value());
}

TEST_F(StreamLife, LeavesTheSameAnswerInBothLogs) {
  const auto engine = Watch();
  const v1::WatchAnswer hit = Ask(*engine, 1, entries_[5]);
  ASSERT_EQ(hit.answered().alerts_size(), 1);
  ASSERT_EQ(Ask(*engine, 2, RandomTemplate(random_)).answered().alerts_size(), 0);
  engine->DoneSending();
  EXPECT_THAT(engine->Receive(), FailsWith(ErrorCode::kNotFound));
  EXPECT_THAT(engine->Finish(), IsOk());
  const auto at_holder = ExportLog(police_).OfType(audit::kSearchHit);
  const auto at_requester = ExportLog(council_).OfType(audit::kAlertRaised);
  ASSERT_EQ(at_holder.size(), 1u);
  ASSERT_EQ(at_requester.size(), 1u);
  EXPECT_EQ(at_holder[0].exchange, hit.exchange_id());
  EXPECT_EQ(at_requester[0].exchange, hit.exchange_id());
  ASSERT_TRUE(at_holder[0].messages.contains("answer"));
  ASSERT_TRUE(at_requester[0].messages.contains("answer"));
  EXPECT_EQ(at_holder[0].messages.at("answer"), at_requester[0].messages.at("answer"));
  EXPECT_EQ(at_holder[0].agreement, at_requester[0].agreement);
}

TEST_F(StreamLife, LeavesTheSameOpeningInBothLogs) {
  const auto engine = Watch();
  ASSERT_TRUE(Ask(*engine, 1, entries_[0]).has_answered());
  const auto at_holder = ExportLog(police_).OfType(audit::kSearchOpened);
  const auto at_requester = ExportLog(council_).OfType(audit::kSearchOpened);
  ASSERT_EQ(at_holder.size(), 1u);
  ASSERT_EQ(at_requester.size(), 1u);
  EXPECT_EQ(at_holder[0].exchange, engine->opened().exchange_id());
  EXPECT_EQ(at_requester[0].exchange, engine->opened().exchange_id());
  ASSERT_TRUE(at_requester[0].messages.contains("open"));
  EXPECT_EQ(at_holder[0].messages.at("open"), at_requester[0].messages.at("open"));
}

TEST_F(StreamLife, SurvivesARestartOfBothGateways) {
  const auto stopped = StartDeployment(Definition()).deployment();
  StopDeployment(stopped);
  const auto deployment = StartDeployment(Definition()).deployment();
  auto engine = Watch(deployment);
  const std::string alert = Ask(*engine, 1, entries_[2]).answered().alerts(0).alert();
  engine.reset();
  RestartBoth();
  const auto alerts = ListAlerts();
  ASSERT_EQ(alerts.alerts_size(), 1);
  EXPECT_EQ(alerts.alerts(0).alert(), alert);
  EXPECT_EQ(alerts.alerts(0).hit().reference(), "ref-2");
  EXPECT_THAT(EngineClient::Open(council_.engine(), stopped, clock_),
              FailsWith(ErrorCode::kConflict));
  engine = Watch(deployment);
  const v1::WatchAnswer again = Ask(*engine, 1, entries_[2]);
  ASSERT_EQ(again.answered().alerts_size(), 1) << again.DebugString();
  EXPECT_EQ(again.answered().entries(), 10u);
  // The logs go on where they were and verify as one.
  EXPECT_EQ(ExportLog(council_).Count(audit::kGatewayStarted), 2u);
  EXPECT_EQ(ExportLog(police_).Count(audit::kGatewayStarted), 2u);
}

TEST_F(StreamLife, RefusesAfterARestartWhatWasRefusedBefore) {
  const auto deployment = StartDeployment(Definition()).deployment();
  Suspend();
  RestartBoth();
  const auto engine = Watch(deployment);
  const v1::WatchAnswer refused = Ask(*engine, 1, entries_[0]);
  EXPECT_EQ(refused.refused().code(), v1::DECISION_CODE_AGREEMENT_SUSPENDED)
      << refused.DebugString();
  const auto decision = Unchecked()->Open(Terms());
  ASSERT_THAT(decision, IsOk());
  EXPECT_EQ(decision->code, policy::ReasonCode::kAgreementSuspended);
}

}  // namespace
}  // namespace comity::testing
