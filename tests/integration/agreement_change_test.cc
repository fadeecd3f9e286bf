// SPDX-License-Identifier: Apache-2.0
// An agreement that changes while a stream is open, and its bounds at both gateways.
#include <gtest/gtest.h>

#include <thread>

#include "services/audit/events.h"
#include "tests/integration/direct_search_world.h"
#include "tests/integration/exported_log.h"
#include "tests/support/result_matchers.h"

namespace comity::testing {
namespace {

class AgreementChange : public DirectSearchWorld {
 protected:
  void SetUp() override {
    DirectSearchWorld::SetUp();
    ImportEntries(10);
  }
  // What both gateways say, each by itself, once `end` has come in the middle of their streams.
  void ExpectBothRefuseFrom(policy::Instant end, v1::DecisionCode code) {
    const auto engine = Watch();
    const auto unchecked = Unchecked();
    ASSERT_THAT(unchecked->Open(Terms()), IsOk());
    ASSERT_EQ(Ask(*engine, 1, entries_[0]).answered().alerts_size(), 1);
    ASSERT_THAT(unchecked->Probe(entries_[0], ref_), IsOk());
    std::this_thread::sleep_for(end - clock_.Now() + std::chrono::milliseconds(1));
    const v1::WatchAnswer by_requester = Ask(*engine, 2, entries_[0]);
    EXPECT_EQ(by_requester.refused().code(), code) << by_requester.DebugString();
    EXPECT_EQ(by_requester.refused_by(), "eastvale-council");
    const auto by_holder = unchecked->Probe(entries_[0], ref_);
    ASSERT_THAT(by_holder, IsOk());
    EXPECT_EQ(by_holder->decision().code(), code);
    EXPECT_EQ(by_holder->hits_size(), 0);
  }
  int AlertsOfCouncil() {
    grpc::ClientContext context;
    v1::ListAlertsResponse response;
    EXPECT_TRUE(council_.alerts()->List(&context, v1::ListAlertsRequest(), &response).ok());
    return response.alerts_size();
  }
  policy::ReasonCode OpeningOf(const policy::SearchRequest& terms) {
    const auto decision = Unchecked()->Open(terms);
    EXPECT_THAT(decision, IsOk());
    return decision ? decision->code : policy::ReasonCode::kPermit;
  }
};

TEST_F(AgreementChange, ExpiryBitesInTheOpenStreamAtBothGateways) {
  text_.effective_until = Now() + std::chrono::seconds(6);
  Agree();
  ExpectBothRefuseFrom(text_.effective_until, v1::DECISION_CODE_AGREEMENT_EXPIRED);
  // What was received under it goes, as after a termination.
  for (int i = 0; i < 400 && AlertsOfCouncil() > 0; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  EXPECT_EQ(AlertsOfCouncil(), 0);
}

TEST_F(AgreementChange, AnAttachmentThatLapsesBitesInTheOpenStreamAtBothGateways) {
  text_.attachment_until = Now() + std::chrono::seconds(6);
  Agree();
  ExpectBothRefuseFrom(text_.attachment_until, v1::DECISION_CODE_ATTACHMENT_NOT_VALID);
}

TEST_F(AgreementChange, CapacityEndsExactlyAtTheLimitAtTheRequester) {
  text_.probes_per_day = 5;
  Agree();
  const auto engine = Watch();
  for (std::uint64_t sequence = 1; sequence <= 5; ++sequence) {
    EXPECT_TRUE(Ask(*engine, sequence, entries_[0]).has_answered()) << sequence;
  }
  const v1::WatchAnswer sixth = Ask(*engine, 6, entries_[0]);
  EXPECT_EQ(sixth.refused().code(), v1::DECISION_CODE_CAPACITY_EXHAUSTED);
  EXPECT_EQ(sixth.refused_by(), "eastvale-council");
  // The holder has counted the same five.
  EXPECT_EQ(OpeningOf(Terms()), policy::ReasonCode::kCapacityExhausted);
}

TEST_F(AgreementChange, CapacityEndsExactlyAtTheLimitAtTheHolder) {
  text_.probes_per_day = 5;
  Agree();
  const auto unchecked = Unchecked();
  ASSERT_THAT(unchecked->Open(Terms()), IsOk());
  for (int i = 1; i <= 6; ++i) {
    const auto answer = unchecked->Probe(entries_[0], ref_);
    ASSERT_THAT(answer, IsOk());
    EXPECT_EQ(answer->decision().code(),
              i <= 5 ? v1::DECISION_CODE_PERMIT : v1::DECISION_CODE_CAPACITY_EXHAUSTED)
        << i;
  }
}

TEST_F(AgreementChange, AHitStaysAnAlertWhenTheNextFaceIsOverCapacity) {
  text_.probes_per_day = 1;
  Agree();
  const auto engine = Watch();
  ASSERT_TRUE(engine->Send({1, "capture-1", "camera-1", entries_[0]}));
  ASSERT_TRUE(engine->Send({2, "capture-2", "camera-1", entries_[0]}));
  std::size_t alerts = 0;
  std::size_t refusals = 0;
  for (int i = 0; i < 2; ++i) {
    const auto answer = engine->Receive();
    ASSERT_THAT(answer, IsOk());
    alerts += static_cast<std::size_t>(answer->answered().alerts_size());
    if (answer->refused().code() == v1::DECISION_CODE_CAPACITY_EXHAUSTED) ++refusals;
  }
  EXPECT_EQ(alerts, 1u);
  EXPECT_EQ(refusals, 1u);
}

TEST_F(AgreementChange, ACategoryOutsideTheAgreementIsRefusedByBothGateways) {
  Agree();
  v1::DeploymentDefinition definition = Definition();
  definition.add_list_categories("missing-at-risk");
  const auto created = StartDeployment(definition);
  ASSERT_EQ(created.holders_size(), 1);
  EXPECT_EQ(created.holders(0).decision().code(), v1::DECISION_CODE_CATEGORY_NOT_COVERED);
  const auto engine = Watch(created.deployment());
  EXPECT_EQ(Ask(*engine, 1, entries_[0]).refused().code(), v1::DECISION_CODE_CATEGORY_NOT_COVERED);
  policy::SearchRequest terms = Terms();
  terms.list_categories.push_back(policy::ListCategory::Parse("missing-at-risk").value());
  EXPECT_EQ(OpeningOf(terms), policy::ReasonCode::kCategoryNotCovered);
}

TEST_F(AgreementChange, AThresholdBelowTheFloorIsRefusedByBothGateways) {
  Agree();
  v1::DeploymentDefinition definition = Definition();
  definition.set_threshold(0.49);
  const auto created = StartDeployment(definition);
  ASSERT_EQ(created.holders_size(), 1);
  EXPECT_EQ(created.holders(0).decision().code(), v1::DECISION_CODE_THRESHOLD_BELOW_FLOOR);
  policy::SearchRequest terms = Terms();
  terms.threshold = 0.49;
  EXPECT_EQ(OpeningOf(terms), policy::ReasonCode::kThresholdBelowFloor);
  terms.threshold = 0.5;
  EXPECT_EQ(OpeningOf(terms), policy::ReasonCode::kPermit);
}

TEST_F(AgreementChange, ANewVersionDecidesTheNextProbeOfAnOpenStream) {
  Agree();
  const auto engine = Watch();
  const auto unchecked = Unchecked();
  ASSERT_THAT(unchecked->Open(Terms()), IsOk());
  ASSERT_TRUE(Ask(*engine, 1, entries_[0]).has_answered());
  const policy::AgreementRef first = ref_;
  text_.version = 2;
  text_.threshold_floor = "0.55";
  Agree();
  const auto outdated = unchecked->Probe(entries_[0], first);
  ASSERT_THAT(outdated, IsOk());
  EXPECT_EQ(outdated->decision().code(), v1::DECISION_CODE_AGREEMENT_MISMATCH);
  const auto current = unchecked->Probe(entries_[0], ref_);
  ASSERT_THAT(current, IsOk());
  EXPECT_EQ(current->decision().code(), v1::DECISION_CODE_PERMIT);
  EXPECT_EQ(current->decision().agreement().version(), 2u);
  const v1::WatchAnswer answer = Ask(*engine, 2, entries_[1]);
  ASSERT_EQ(answer.answered().alerts_size(), 1) << answer.DebugString();
  grpc::ClientContext context;
  v1::ListAlertsResponse alerts;
  ASSERT_TRUE(council_.alerts()->List(&context, v1::ListAlertsRequest(), &alerts).ok());
  ASSERT_EQ(alerts.alerts_size(), 2);
  EXPECT_EQ(alerts.alerts(0).agreement().version(), 2u);
}

TEST_F(AgreementChange, ANewVersionWithAHigherFloorRefusesTheDeploymentThatIsBelow) {
  Agree();
  const auto engine = Watch();
  ASSERT_TRUE(Ask(*engine, 1, entries_[0]).has_answered());
  text_.version = 2;
  text_.threshold_floor = "0.7";
  Agree();
  EXPECT_EQ(Ask(*engine, 2, entries_[0]).refused().code(), v1::DECISION_CODE_THRESHOLD_BELOW_FLOOR);
}

}  // namespace
}  // namespace comity::testing
