// SPDX-License-Identifier: Apache-2.0
// One search by a person at several holders: who answered, who refused, who did not answer.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>

#include "tests/integration/exported_log.h"
#include "tests/integration/fanout_world.h"
#include "tests/integration/live_acts.h"
#include "tests/integration/stalled_holder.h"

namespace comity::testing {
namespace {

using std::chrono::steady_clock;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

// Four holders: 0 and 1 answer, 2 has suspended, 3 is gone.
class Identify : public ::testing::Test {
 protected:
  FanoutWorld world_{4};

  std::vector<v1::Alert> Alerts() {
    grpc::ClientContext context;
    v1::ListAlertsResponse response;
    EXPECT_TRUE(world_.council().alerts()->List(&context, {}, &response).ok());
    return {response.alerts().begin(), response.alerts().end()};
  }
};

TEST_F(Identify, NamesWhoAnsweredWhoRefusedAndWhoDidNotAnswer) {
  world_.Suspend(2);
  world_.holder(3).Stop();
  v1::IdentifyRequest request = world_.Request(world_.faces()[0]);
  for (std::size_t i = 0; i < 4; ++i) request.add_agreements(world_.AgreementId(i));
  const v1::IdentifyResponse response = world_.Identify(request);
  ASSERT_THAT(response.holders(), SizeIs(4)) << response.DebugString();

  const v1::HolderResult& hit = ResultOf(response, "holder-00");
  ASSERT_TRUE(hit.has_answered());
  ASSERT_THAT(hit.answered().alerts(), SizeIs(1));
  EXPECT_EQ(hit.answered().alerts(0).hit().reference(), "ref-0");
  EXPECT_EQ(hit.answered().mode(), v1::SEARCH_MODE_DIRECT);
  EXPECT_EQ(hit.answered().entries(), 1U);
  EXPECT_THAT(hit.exchange_id(), SizeIs(26));

  const v1::HolderResult& none = ResultOf(response, "holder-01");
  ASSERT_TRUE(none.has_answered());
  EXPECT_THAT(none.answered().alerts(), IsEmpty());

  const v1::HolderResult& suspended = ResultOf(response, "holder-02");
  ASSERT_TRUE(suspended.has_refused());
  EXPECT_EQ(suspended.refused().code(), v1::DECISION_CODE_AGREEMENT_SUSPENDED);
  EXPECT_FALSE(suspended.refused().clauses().empty());
  EXPECT_FALSE(suspended.refused_by().empty());

  const v1::HolderResult& gone = ResultOf(response, "holder-03");
  ASSERT_TRUE(gone.has_unanswered());
  EXPECT_EQ(gone.unanswered().reason(), v1::Unanswered::REASON_HOLDER_UNREACHABLE);
  EXPECT_LT(response.ms(), 5'000U) << "nobody was waited for";
}

TEST_F(Identify, AsksThoseThatPermitWhenNobodyIsNamed) {
  world_.Suspend(2);
  // The suspension is under way to the council until its own gateway refuses.
  v1::IdentifyResponse response;
  for (int attempt = 0; attempt < 50 && response.holders_size() != 3; ++attempt) {
    response = world_.Identify(world_.Request(world_.Stranger()));
  }
  ASSERT_THAT(response.holders(), SizeIs(3)) << response.DebugString();
  EXPECT_TRUE(ResultOf(response, "holder-00").has_answered());
  EXPECT_TRUE(ResultOf(response, "holder-01").has_answered());
  EXPECT_TRUE(ResultOf(response, "holder-03").has_answered());
}

TEST_F(Identify, ANamedAgencyWithoutAnAgreementIsRefusedByTheOwn) {
  v1::IdentifyRequest request = world_.Request(world_.Stranger());
  request.add_holders("holder-01");
  request.add_holders("southmere-council");
  const v1::IdentifyResponse response = world_.Identify(request);
  ASSERT_THAT(response.holders(), SizeIs(2));
  EXPECT_TRUE(ResultOf(response, "holder-01").has_answered());
  const v1::HolderResult& other = ResultOf(response, "southmere-council");
  ASSERT_TRUE(other.has_refused());
  EXPECT_EQ(other.refused().code(), v1::DECISION_CODE_NO_AGREEMENT);
  EXPECT_EQ(other.refused_by(), "eastvale-council");
}

TEST_F(Identify, AnUnknownAgreementRefusesTheWholeSearch) {
  v1::IdentifyRequest request = world_.Request(world_.Stranger());
  request.add_agreements("no-such-agreement");
  const v1::IdentifyResponse response = world_.Identify(request);
  EXPECT_THAT(response.holders(), IsEmpty());
  EXPECT_EQ(response.refused().code(), v1::DECISION_CODE_NO_AGREEMENT);
  const auto refused = ExportLog(world_.council()).OfType("search-refused");
  ASSERT_THAT(refused, SizeIs(1));
  EXPECT_EQ(refused[0].exchange, response.search());
}

TEST_F(Identify, AHitIsAnAlertOfNoDeploymentAndIsAcknowledgedAsEveryOther) {
  const auto response = world_.Identify(world_.Request(world_.faces()[1]));
  const v1::HolderResult& hit = ResultOf(response, "holder-01");
  ASSERT_THAT(hit.answered().alerts(), SizeIs(1));
  const std::vector<v1::Alert> alerts = Alerts();
  ASSERT_THAT(alerts, SizeIs(1));
  EXPECT_EQ(alerts[0].alert(), hit.answered().alerts(0).alert());
  EXPECT_EQ(alerts[0].deployment(), "");
  EXPECT_EQ(alerts[0].holder(), "holder-01");
  EXPECT_EQ(alerts[0].frames(0).capture_ref(), "desk-17");
  EXPECT_EQ(alerts[0].exchange_id(), hit.exchange_id() + "/1");
  grpc::ClientContext context;
  v1::AcknowledgeAlertRequest request;
  v1::Alert acknowledged;
  request.set_alert(alerts[0].alert());
  request.set_outcome(v1::OUTCOME_TRUE_MATCH);
  ASSERT_TRUE(world_.council().alerts()->Acknowledge(&context, request, &acknowledged).ok());
  EXPECT_EQ(acknowledged.state(), "acknowledged");
}

TEST_F(Identify, IsLoggedSinglyAtBothSidesWithItsJustification) {
  const auto response = world_.Identify(world_.Request(world_.faces()[0]));
  const ExportedLog council = ExportLog(world_.council());
  const auto justified = council.OfType("search-justified");
  ASSERT_THAT(justified, SizeIs(1));
  EXPECT_EQ(justified[0].exchange, response.search());
  for (const char* field : {"search", "request", "case_ref", "operator", "offence", "aim",
                            "subject_status", "holders"}) {
    EXPECT_TRUE(justified[0].commitments.contains(field)) << field;
  }
  for (std::size_t i = 0; i < 4; ++i) {
    const v1::HolderResult& result = ResultOf(response, world_.holder(i).name());
    const ExportedLog holder = ExportLog(world_.holder(i));
    const auto at_council = council.OfType("search-opened");
    const auto at_holder = holder.OfType("search-opened");
    ASSERT_THAT(at_holder, SizeIs(1));
    EXPECT_EQ(at_holder[0].exchange, result.exchange_id());
    const auto same =
        std::ranges::find(at_council, at_holder[0].exchange, &tlog::LogEntry::exchange);
    ASSERT_NE(same, at_council.end());
    EXPECT_EQ(same->messages.at("open"), at_holder[0].messages.at("open"));
    // What the holder's entry commits to: no case, no officer, no reason, only their commitments.
    for (const char* field : {"case_ref", "operator", "offence", "aim", "search", "deployment"}) {
      EXPECT_FALSE(at_holder[0].commitments.contains(field)) << field;
    }
    EXPECT_TRUE(at_holder[0].commitments.contains("officer_commitment"));
    EXPECT_TRUE(at_holder[0].commitments.contains("case_commitment"));
    EXPECT_EQ(holder.Count("search-hit"), i == 0 ? 1U : 0U);
    EXPECT_EQ(holder.Count("search-closed"), 1U);
  }
}

TEST_F(Identify, IsForOperatorsAndSupervisorsAndNotForEngines) {
  const v1::IdentifyRequest request = world_.Request(world_.Stranger());
  v1::IdentifyResponse response;
  for (const char* person : {"operator", "supervisor-1"}) {
    EXPECT_TRUE(world_.Identify(request, response, person).ok()) << person;
  }
  for (const char* person : {"adjudicator", "dpo", "siro", "auditor", "admin-1", "keys-1"}) {
    EXPECT_EQ(world_.Identify(request, response, person).error_code(),
              grpc::StatusCode::PERMISSION_DENIED)
        << person;
  }
  grpc::ClientContext context;
  const auto engine =
      v1::Recognition::NewStub(world_.council().ChannelAs(world_.council().engine().identity_file));
  EXPECT_EQ(engine->Identify(&context, request, &response).error_code(),
            grpc::StatusCode::PERMISSION_DENIED);
}

TEST_F(Identify, AMalformedRequestReachesNoHolder) {
  v1::IdentifyRequest request = world_.Request(world_.Stranger());
  request.clear_case_ref();
  v1::IdentifyResponse response;
  const grpc::Status status = world_.Identify(request, response);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_THAT(status.error_message(), ::testing::HasSubstr("case_ref"));
  EXPECT_EQ(ExportLog(world_.holder(0)).Count("search-opened"), 0U);
  EXPECT_EQ(ExportLog(world_.council()).Count("search-justified"), 0U);
}

TEST_F(Identify, AStalledHolderIsReportedAtTheDeadlineWithTheOthersResults) {
  world_.holder(2).Stop();
  const StalledHolder stalled(world_.holder(2), world_.council(), world_.clock());
  v1::IdentifyRequest request = world_.Request(world_.faces()[3]);
  request.set_deadline_ms(1500);
  const auto began = steady_clock::now();
  const v1::IdentifyResponse response = world_.Identify(request);
  const auto took = steady_clock::now() - began;
  ASSERT_THAT(response.holders(), SizeIs(4));
  EXPECT_TRUE(ResultOf(response, "holder-00").has_answered());
  EXPECT_TRUE(ResultOf(response, "holder-01").has_answered());
  EXPECT_THAT(ResultOf(response, "holder-03").answered().alerts(), SizeIs(1));
  const v1::HolderResult& late = ResultOf(response, "holder-02");
  ASSERT_TRUE(late.has_unanswered());
  EXPECT_EQ(late.unanswered().reason(), v1::Unanswered::REASON_DEADLINE);
  EXPECT_GE(took, std::chrono::milliseconds(1500));
  EXPECT_LT(took, std::chrono::milliseconds(4000));
  EXPECT_LT(ResultOf(response, "holder-00").ms(), 1500U) << "answered before the deadline";
}

TEST(IdentifyOffence, IsDecidedByItsClassAtAFloor) {
  FanoutWorld world(2, [](std::size_t holder, AgreementText& text) {
    if (holder == 1) text.offence_floor = "4-years-or-more";
  });
  v1::IdentifyRequest request = world.Request(world.Stranger());
  for (std::size_t i = 0; i < 2; ++i) request.add_agreements(world.AgreementId(i));
  EXPECT_TRUE(ResultOf(world.Identify(request), "holder-01").has_answered());
  request.mutable_offence()->set_max_penalty_years(3);
  const v1::IdentifyResponse lesser = world.Identify(request);
  EXPECT_TRUE(ResultOf(lesser, "holder-00").has_answered());
  EXPECT_EQ(ResultOf(lesser, "holder-01").refused().code(), v1::DECISION_CODE_OFFENCE_BELOW_FLOOR);
  request.clear_offence();
  EXPECT_EQ(ResultOf(world.Identify(request), "holder-01").refused().code(),
            v1::DECISION_CODE_OFFENCE_BELOW_FLOOR);
}

TEST(IdentifyCapacity, IsCountedByCaseAndByOfficer) {
  FanoutWorld world(1, [](std::size_t, AgreementText& text) {
    text.per_officer_per_day = 3;
    text.per_case_per_day = 2;
  });
  v1::IdentifyRequest request = world.Request(world.Stranger());
  request.add_agreements(world.AgreementId(0));
  const auto ask = [&](const std::string& case_ref, const std::string& person) {
    request.set_case_ref(case_ref);
    v1::IdentifyResponse response;
    EXPECT_TRUE(world.Identify(request, response, person).ok());
    return ResultOf(response, "holder-00");
  };
  EXPECT_TRUE(ask("case-1", "operator").has_answered());
  EXPECT_TRUE(ask("case-1", "operator").has_answered());
  const v1::HolderResult by_case = ask("case-1", "operator");
  EXPECT_EQ(by_case.refused().code(), v1::DECISION_CODE_CAPACITY_EXHAUSTED);
  EXPECT_THAT(by_case.refused().clauses(), ElementsAre("p1", "p1.capacity.per_case"));
  EXPECT_EQ(by_case.refused_by(), "eastvale-council");
  EXPECT_TRUE(ask("case-2", "operator").has_answered());
  const v1::HolderResult by_officer = ask("case-3", "operator");
  EXPECT_THAT(by_officer.refused().clauses(), ElementsAre("p1", "p1.capacity.per_officer"));
  EXPECT_TRUE(ask("case-3", "supervisor-1").has_answered()) << "another officer";
}

// The requester's count does not go back when it restarts, and loses none.
TEST(IdentifyCapacity, SurvivesARestartExactly) {
  FanoutWorld world(1, [](std::size_t, AgreementText& text) { text.per_case_per_day = 3; });
  v1::IdentifyRequest request = world.Request(world.Stranger());
  request.add_agreements(world.AgreementId(0));
  for (int i = 0; i < 3; ++i) {
    EXPECT_TRUE(ResultOf(world.Identify(request), "holder-00").has_answered()) << i;
    world.council().Stop();
    world.council().Start({&world.holder(0)});
    AwaitPartners(world.council());
  }
  EXPECT_EQ(ResultOf(world.Identify(request), "holder-00").refused().code(),
            v1::DECISION_CODE_CAPACITY_EXHAUSTED);
}

}  // namespace
}  // namespace comity::testing
