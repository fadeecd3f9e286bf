// SPDX-License-Identifier: Apache-2.0
// The life of an agreement between two live gateways: statements, the other side's word, notices,
// who sees what of a hit, and questions about decisions.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "services/gateway/wire/convert_policy.h"
#include "tests/integration/direct_search_world.h"
#include "tests/support/result_matchers.h"

namespace comity::testing {
namespace {

using policy::StatementKind;
using ::testing::HasSubstr;
using namespace std::chrono_literals;

class AgreementLife : public DirectSearchWorld {
 protected:
  void SetUp() override {
    DirectSearchWorld::SetUp();
    ImportEntries(3);
  }
  policy::Statement About(StatementKind kind, const std::string& text = "as agreed") const {
    policy::Statement statement;
    statement.kind = kind;
    statement.agreement = ref_;
    statement.text = text;
    return statement;
  }
  v1::AgreementSummary Summary(const LiveAgency& agency) const {
    grpc::ClientContext context;
    v1::ListAgreementsResponse response;
    EXPECT_TRUE(agency.agreements()->List(&context, v1::ListAgreementsRequest(), &response).ok());
    for (const v1::AgreementSummary& summary : response.agreements()) {
      if (summary.agreement().version() == ref_.version) return summary;
    }
    ADD_FAILURE() << "no such version at " << agency.name();
    return {};
  }
  // Waits until both sides say `status` and that they agree.
  void AwaitBoth(const std::string& status) {
    for (int i = 0; i < 1200; ++i) {
      const v1::AgreementSummary police = Summary(police_);
      const v1::AgreementSummary council = Summary(council_);
      const auto agrees = [&](const v1::AgreementSummary& summary) {
        return summary.status() == status && summary.deliveries_size() == 1 &&
               summary.deliveries(0).delivered() && !summary.deliveries(0).status_differs();
      };
      if (agrees(police) && agrees(council)) return;
      std::this_thread::sleep_for(50ms);
    }
    const auto words = [&](const LiveAgency& agency) {
      const v1::AgreementSummary summary = Summary(agency);
      return agency.name() + " " + summary.status() + " " +
             (summary.deliveries_size() > 0 ? summary.deliveries(0).ShortDebugString() : "");
    };
    FAIL() << "not both " << status << ": " << words(police_) << "; " << words(council_);
  }
  void Propose() {
    yaml_ = WriteAgreement(text_);
    ref_ = RefOf(text_, yaml_);
    council_.SubmitDocument(yaml_);
  }
  std::vector<v1::Notice> NoticesOf(const LiveAgency& agency, const std::string& person,
                                    const std::string& kind) const {
    grpc::ClientContext context;
    v1::ListNoticesRequest request;
    request.set_limit(1000);
    v1::ListNoticesResponse response;
    EXPECT_TRUE(agency.notices(person)->List(&context, request, &response).ok());
    std::vector<v1::Notice> notices;
    for (const v1::Notice& notice : response.notices()) {
      if (notice.kind() == kind) notices.push_back(notice);
    }
    return notices;
  }
};

TEST_F(AgreementLife, AProposalIsRejectedByOneSignatoryAtBothSides) {
  Propose();
  const Result<policy::AgreementRef> there = gateway::FromProto(Summary(police_).agreement());
  ASSERT_THAT(there, IsOk());
  EXPECT_EQ(*there, ref_);
  EXPECT_FALSE(NoticesOf(police_, "dpo", "agreement-changed").empty()) << "nobody was told of it";
  police_.Say("chief", About(StatementKind::kRejection, "retention is too long"));
  AwaitBoth("rejected");
  grpc::ClientContext context;
  v1::SubmitAgreementRequest request;
  v1::SubmitAgreementResponse response;
  policy::Statement signature = About(StatementKind::kSignature);
  signature.party = policy::AgencyId::Parse(council_.name()).value();
  signature.post = "Chief Officer";
  signature.at = clock_.Now();
  const auto envelope = policy::MakeStatement(council_.PersonKey("chief"), signature);
  request.set_statement(sign::EncodeDsseJson(*envelope));
  const grpc::Status refused = council_.agreements("chief")->Submit(&context, request, &response);
  EXPECT_EQ(refused.error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_THAT(refused.error_message(), HasSubstr("rejected"));
}

TEST_F(AgreementLife, TwoPeopleOfTheSideThatSuspendedResumeAtBothSides) {
  Agree();
  AwaitBoth("in-force");
  const auto engine = Watch();
  ASSERT_TRUE(Ask(*engine, 1, entries_[0]).has_answered());
  Suspend();
  AwaitBoth("suspended");
  const auto refused = Ask(*engine, 2, entries_[0]);
  EXPECT_EQ(refused.refused().code(), v1::DECISION_CODE_AGREEMENT_SUSPENDED);
  policy::Statement resumption = About(StatementKind::kResumption);
  const v1::AgreementSummary suspended = Summary(police_);
  const std::string& id = suspended.statements(suspended.statements_size() - 1).id();
  resumption.lifts.emplace();
  std::copy(id.begin(), id.end(), resumption.lifts->bytes.begin());
  police_.Say("siro", resumption);
  AwaitBoth("suspended");
  police_.Say("chief", resumption);
  AwaitBoth("in-force");
  EXPECT_TRUE(Ask(*engine, 3, entries_[0]).has_answered());
}

TEST_F(AgreementLife, WhatIsToBeStoppedIsTheVersionThatDecidesAndNoDraftOfAPartner) {
  Agree();
  AgreementText draft = text_;
  draft.version = 2;
  const std::string higher = WriteAgreement(draft);
  council_.SubmitDocument(higher);
  const auto document = [&](bool deciding) {
    grpc::ClientContext context;
    v1::GetAgreementRequest request;
    request.set_id(ref_.id.text());
    request.set_deciding(deciding);
    v1::GetAgreementResponse response;
    EXPECT_TRUE(police_.agreements()->Get(&context, request, &response).ok());
    EXPECT_EQ(response.statements_size(), 0);  // it did not ask for them
    return response.document();
  };
  for (int i = 0; i < 400 && document(false) != higher; ++i) std::this_thread::sleep_for(50ms);
  ASSERT_EQ(document(false), higher);
  EXPECT_EQ(document(true), yaml_);
}

TEST_F(AgreementLife, TwoSignatoriesEndItAfterItsNotice) {
  text_.termination_notice = "PT4S";
  Agree();
  AwaitBoth("in-force");
  const auto engine = Watch();
  council_.Say("siro", About(StatementKind::kTermination));
  council_.Say("chief", About(StatementKind::kTermination));
  EXPECT_EQ(Summary(police_).status(), "in-force");
  EXPECT_TRUE(Summary(police_).has_terminates_at());
  EXPECT_TRUE(Ask(*engine, 1, entries_[0]).has_answered());
  std::this_thread::sleep_for(4s);
  AwaitBoth("terminated");
  EXPECT_EQ(Ask(*engine, 2, entries_[0]).refused().code(), v1::DECISION_CODE_AGREEMENT_TERMINATED);
}

TEST_F(AgreementLife, AStatementWaitsForAPartnerThatIsAwayAndArrivesOnce) {
  Agree();
  AwaitBoth("in-force");
  council_.Stop();
  Suspend();
  const v1::AgreementSummary alone = Summary(police_);
  EXPECT_EQ(alone.status(), "suspended");
  ASSERT_EQ(alone.deliveries_size(), 1);
  EXPECT_FALSE(alone.deliveries(0).delivered());
  EXPECT_TRUE(alone.deliveries(0).status_differs());
  EXPECT_EQ(alone.deliveries(0).peer_status(), "in-force");
  council_.Start({});
  AwaitBoth("suspended");
  int suspensions = 0;
  const v1::AgreementSummary there = Summary(council_);
  for (const v1::StatementSummary& statement : there.statements()) {
    suspensions += statement.kind() == "suspension" ? 1 : 0;
  }
  EXPECT_EQ(suspensions, 1);
}

TEST_F(AgreementLife, DposAndSignatoriesOfBothSidesReview) {
  Agree();
  AwaitBoth("in-force");
  for (LiveAgency* agency : {&police_, &council_}) {
    agency->Say("dpo", About(StatementKind::kReview, "Still needed."));
    agency->Say("siro", About(StatementKind::kReview, "Still needed."));
  }
  AwaitBoth("in-force");
  EXPECT_TRUE(Summary(police_).reviewed());
  EXPECT_TRUE(Summary(council_).reviewed());
  EXPECT_EQ(Summary(police_).missing_reviews_size(), 0);
}

TEST_F(AgreementLife, DposAndSignatoriesAreRemindedOfAReviewInTime) {
  text_.review_by = Now() + 24h * 5;
  text_.review_reminder = "P5D";
  Agree();
  std::vector<v1::Notice> told;
  for (int i = 0; i < 300 && told.empty(); ++i) {
    std::this_thread::sleep_for(50ms);
    told = NoticesOf(council_, "siro", "agreement-review-due");
  }
  ASSERT_EQ(told.size(), 1U);
  EXPECT_THAT(told[0].words(), HasSubstr("must be reviewed"));
  EXPECT_TRUE(NoticesOf(council_, "operator", "agreement-review-due").empty());
}

TEST_F(AgreementLife, ShowsEachRoleOnlyTheItemsReleasedToIt) {
  text_.release_roles = {{"reference-number", "engine, adjudicator"},
                         {"category", "operator"},
                         {"response-code", "supervisor"}};
  Agree();
  const auto engine = Watch();
  const v1::WatchAnswer answer = Ask(*engine, 1, entries_[0]);
  ASSERT_EQ(answer.answered().alerts_size(), 1) << answer.DebugString();
  const v1::Hit& by_engine = answer.answered().alerts(0).hit();
  EXPECT_FALSE(by_engine.reference().empty());
  EXPECT_TRUE(by_engine.category().empty());
  EXPECT_TRUE(by_engine.response_code().empty());
  const auto seen_by = [&](const std::string& person) {
    grpc::ClientContext context;
    v1::ListAlertsResponse alerts;
    EXPECT_TRUE(council_.alerts(person)->List(&context, v1::ListAlertsRequest(), &alerts).ok());
    EXPECT_EQ(alerts.alerts_size(), 1);
    return alerts.alerts_size() == 1 ? alerts.alerts(0).hit() : v1::Hit();
  };
  EXPECT_EQ(seen_by("adjudicator").reference(), by_engine.reference());
  EXPECT_TRUE(seen_by("adjudicator").category().empty());
  EXPECT_TRUE(seen_by("operator").reference().empty());
  EXPECT_EQ(seen_by("operator").category(), "wanted-by-courts");
  EXPECT_FALSE(seen_by("supervisor-1").response_code().empty());
  EXPECT_TRUE(seen_by("supervisor-1").category().empty());
}

TEST_F(AgreementLife, TheRegisterIsSearched) {
  Agree();
  const auto found = [&](auto narrow) {
    grpc::ClientContext context;
    v1::ListAgreementsRequest request;
    narrow(request);
    v1::ListAgreementsResponse response;
    EXPECT_TRUE(police_.agreements("auditor")->List(&context, request, &response).ok());
    return response.agreements_size();
  };
  EXPECT_EQ(found([](auto& r) { r.set_party("eastvale-council"); }), 1);
  EXPECT_EQ(found([](auto& r) { r.set_party("westmoor-police"); }), 0);
  EXPECT_EQ(found([](auto& r) { r.set_purpose("court-order-arrest"); }), 1);
  EXPECT_EQ(found([](auto& r) { r.set_item("similarity"); }), 0);
  EXPECT_EQ(found([](auto& r) { r.set_status("in-force"); }), 1);
  EXPECT_EQ(found([&](auto& r) {
              r.mutable_review_before()->set_seconds(
                  std::chrono::floor<std::chrono::seconds>(Now()).time_since_epoch().count());
            }),
            0);
  grpc::ClientContext context;
  v1::ListAgreementsRequest request;
  request.set_item("name");
  v1::ListAgreementsResponse response;
  EXPECT_EQ(police_.agreements()->List(&context, request, &response).error_code(),
            grpc::StatusCode::INVALID_ARGUMENT);
}

TEST_F(AgreementLife, ExplainsWhatWouldBeDecided) {
  Agree();
  AwaitBoth("in-force");
  v1::ExplainRequest question;
  question.set_requester(council_.name());
  question.set_holder(police_.name());
  question.set_has_case(true);
  *question.mutable_terms() = gateway::ToProto(Terms());
  const auto ask = [&](const v1::ExplainRequest& request, const std::string& person) {
    grpc::ClientContext context;
    v1::ExplainResponse response;
    const grpc::Status status = council_.agreements(person)->Explain(&context, request, &response);
    return std::pair(status, response);
  };
  EXPECT_EQ(ask(question, "operator").second.decision().code(), v1::DECISION_CODE_PERMIT);
  question.mutable_terms()->set_threshold(0.4);
  const auto [status, denied] = ask(question, "operator");
  ASSERT_TRUE(status.ok());
  EXPECT_EQ(denied.decision().code(), v1::DECISION_CODE_THRESHOLD_BELOW_FLOOR);
  ASSERT_TRUE(denied.has_nearest());
  EXPECT_EQ(denied.nearest().permission(), "p1");
  ASSERT_EQ(denied.nearest().changes_size(), 1);
  EXPECT_EQ(denied.nearest().changes(0).field(), "threshold");
  EXPECT_THAT(denied.words(), HasSubstr("threshold 0.4 is below the floor of 0.5"));
  question.set_requester("");
  EXPECT_EQ(ask(question, "operator").first.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(ask(question, "adjudicator").first.error_code(), grpc::StatusCode::PERMISSION_DENIED);
}

}  // namespace
}  // namespace comity::testing
