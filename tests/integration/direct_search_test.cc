// SPDX-License-Identifier: Apache-2.0
// The main job with two real gateways over loopback mutual TLS.
#include <gtest/gtest.h>

#include "tests/integration/direct_search_world.h"
#include "tests/support/result_matchers.h"

namespace comity::testing {
namespace {

class DirectSearch : public DirectSearchWorld {
 protected:
  void SetUp() override {
    DirectSearchWorld::SetUp();
    Agree();
  }
};

TEST_F(DirectSearch, AListedFaceBecomesAnAlertAndAPasserByDoesNot) {
  ImportEntries(200);
  const auto deployment = StartDeployment("court-order-arrest");
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
  const auto deployment = StartDeployment("court-order-arrest");
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
  const auto deployment = StartDeployment("missing-person");
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
  const auto deployment = StartDeployment("court-order-arrest");
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
  const auto deployment = StartDeployment("court-order-arrest");
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
