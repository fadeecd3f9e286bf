// SPDX-License-Identifier: Apache-2.0
// People at a live gateway: they come, change and go by two people, and what they may do follows at
// once, also in open streams.
#include <thread>

#include "services/audit/events.h"
#include "services/runtime/file.h"
#include "services/transport/pki.h"
#include "tests/integration/exported_log.h"
#include "tests/integration/live_agency.h"
#include "tests/support/result_matchers.h"
#include "tests/support/staff.h"

namespace comity::testing {
namespace {

using grpc::StatusCode;
using identity::DecisionKind;
using ::testing::HasSubstr;

class LivePeople : public ::testing::Test {
 protected:
  LivePeople() { agency_.Start({}); }

  v1::PersonCard CardOf(const std::string& person, bool new_key = false) {
    transport::IssueRequest request;
    request.kind = transport::PeerKind::kPerson;
    request.name = person;
    request.renew = true;
    request.new_key = new_key;
    const auto issued = transport::Issue(agency_.pki(), request, clock_.Now());
    EXPECT_THAT(issued, IsOk());
    v1::PersonCard card;
    card.set_id(person);
    card.set_post("Post of " + person);
    card.set_certificate(issued->certificate);
    card.set_signing_key(issued->signing_key);
    return card;
  }
  grpc::Status Add(const v1::PersonCard& card, const std::string& role, v1::PendingAct& act) {
    v1::AddPersonRequest request;
    *request.mutable_card() = card;
    request.add_roles(role);
    grpc::ClientContext context;
    return agency_.people()->Add(&context, request, &act);
  }
  grpc::Status Change(const v1::ChangePersonRequest& request, v1::PendingAct& act) {
    grpc::ClientContext context;
    return agency_.people()->Change(&context, request, &act);
  }
  grpc::Status Revoke(const std::string& person) {
    v1::RevokePersonRequest request;
    request.set_id(person);
    request.set_reason("left the agency");
    grpc::ClientContext context;
    v1::RevokePersonResponse response;
    return agency_.people()->Revoke(&context, request, &response);
  }
  StatusCode ListAlertsAs(const std::string& person) {
    grpc::ClientContext context;
    v1::ListAlertsResponse response;
    return agency_.alerts(person)->List(&context, v1::ListAlertsRequest(), &response).error_code();
  }
  grpc::Status Decide(v1::PendingAct& act, const std::string& person,
                      DecisionKind kind = DecisionKind::kApprove) {
    return testing::Decide(agency_.ChannelOf(person), agency_.pki(), person, act, kind);
  }

  runtime::SystemClock clock_;
  LiveAgency agency_{"northshire-police"};
};

TEST_F(LivePeople, OneWhoIsAddedByTwoWorksAtOnceAndLeavesAtOnce) {
  v1::PendingAct act;
  ASSERT_TRUE(Add(CardOf("j-smith"), "operator", act).ok());
  EXPECT_EQ(ListAlertsAs("j-smith"), StatusCode::PERMISSION_DENIED);
  ASSERT_TRUE(Decide(act, "admin-2").ok());
  EXPECT_EQ(ListAlertsAs("j-smith"), StatusCode::OK);
  ASSERT_TRUE(Revoke("j-smith").ok());
  EXPECT_EQ(ListAlertsAs("j-smith"), StatusCode::PERMISSION_DENIED);
  agency_.Stop();
  agency_.Start({});
  EXPECT_EQ(ListAlertsAs("j-smith"), StatusCode::PERMISSION_DENIED);
}

TEST_F(LivePeople, OwnActIsRefusedAndLogged) {
  v1::PendingAct act;
  ASSERT_TRUE(Add(CardOf("j-smith"), "operator", act).ok());
  EXPECT_EQ(Decide(act, "admin-1").error_code(), StatusCode::PERMISSION_DENIED);
  EXPECT_EQ(Decide(act, "supervisor-1").error_code(), StatusCode::PERMISSION_DENIED);
  EXPECT_EQ(ExportLog(agency_).Count(audit::kAuthorisationRefused), 2U);
}

TEST_F(LivePeople, DecisionOfSomebodyElseIsRefusedWhoeverSendsIt) {
  v1::PendingAct act;
  ASSERT_TRUE(Add(CardOf("j-smith"), "operator", act).ok());
  v1::DecideApprovalRequest request;
  request.set_decision(SignedDecision(agency_.pki(), "admin-2", act, DecisionKind::kApprove));
  for (const char* person : {"admin-1", "operator"}) {
    grpc::ClientContext context;
    v1::PendingAct decided;
    EXPECT_FALSE(agency_.approvals(person)->Decide(&context, request, &decided).ok());
  }
  EXPECT_EQ(ListAlertsAs("j-smith"), StatusCode::PERMISSION_DENIED);
}

TEST_F(LivePeople, RenewedCertificateOfTheSameKeyNeedsNobodyAndAnotherKeyNeedsTwo) {
  CardOf("operator");
  EXPECT_EQ(ListAlertsAs("operator"), StatusCode::OK);
  const v1::PersonCard card = CardOf("operator", /*new_key=*/true);
  EXPECT_EQ(ListAlertsAs("operator"), StatusCode::PERMISSION_DENIED);
  v1::ChangePersonRequest request;
  request.set_id("operator");
  *request.mutable_card() = card;
  v1::PendingAct act;
  ASSERT_TRUE(Change(request, act).ok());
  EXPECT_THAT(act.words(), HasSubstr("Key of the certificate, SHA-256: "));
  ASSERT_TRUE(Decide(act, "admin-2").ok());
  EXPECT_EQ(ListAlertsAs("operator"), StatusCode::OK);
}

TEST_F(LivePeople, CardOfAnotherAgencyOrPersonIsRefused) {
  const LiveAgency other("eastvale-council");
  v1::PersonCard card = CardOf("j-smith");
  v1::PendingAct act;
  card.set_id("k-jones");
  EXPECT_EQ(Add(card, "operator", act).error_code(), StatusCode::INVALID_ARGUMENT);
  card = CardOf("j-smith");
  card.set_certificate(
      runtime::ReadTextFile(other.pki() / "people" / "operator.crt", 64 * 1024).value());
  EXPECT_EQ(Add(card, "operator", act).error_code(), StatusCode::INVALID_ARGUMENT);
  card = CardOf("j-smith");
  card.set_signing_key("ed25519:AAAA");
  EXPECT_EQ(Add(card, "operator", act).error_code(), StatusCode::INVALID_ARGUMENT);
}

TEST_F(LivePeople, OpenStreamsEndWithinTwoSecondsOfARevocation) {
  grpc::ClientContext alerts_context;
  const auto alerts = agency_.alerts("operator")->Watch(&alerts_context, v1::WatchAlertsRequest());
  grpc::ClientContext notices_context;
  const auto notices =
      agency_.notices("operator")->Watch(&notices_context, v1::WatchNoticesRequest());
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  ASSERT_TRUE(Revoke("operator").ok());
  const auto revoked = std::chrono::steady_clock::now();
  v1::Alert alert;
  while (alerts->Read(&alert)) {
  }
  v1::Notice notice;
  while (notices->Read(&notice)) {
  }
  EXPECT_LT(std::chrono::steady_clock::now() - revoked, std::chrono::seconds(2));
  EXPECT_EQ(alerts->Finish().error_code(), StatusCode::PERMISSION_DENIED);
  EXPECT_EQ(notices->Finish().error_code(), StatusCode::PERMISSION_DENIED);
}

TEST_F(LivePeople, NoticesReachWhoWatchesAndNobodyElse) {
  grpc::ClientContext context;
  const auto notices = agency_.notices("admin-2")->Watch(&context, v1::WatchNoticesRequest());
  v1::PendingAct act;
  ASSERT_TRUE(Add(CardOf("j-smith"), "operator", act).ok());
  v1::Notice notice;
  ASSERT_TRUE(notices->Read(&notice));
  EXPECT_EQ(notice.kind(), "approval-asked");
  EXPECT_THAT(notice.words(), HasSubstr(act.approval()));
  context.TryCancel();
  grpc::ClientContext other;
  v1::ListNoticesResponse listed;
  ASSERT_TRUE(agency_.notices("operator")->List(&other, v1::ListNoticesRequest(), &listed).ok());
  EXPECT_EQ(listed.notices_size(), 0);
}

TEST_F(LivePeople, ActsAreSeenByThoseTheyConcernOnly) {
  v1::PendingAct act;
  ASSERT_TRUE(Add(CardOf("j-smith"), "operator", act).ok());
  v1::GetApprovalRequest request;
  request.set_approval(act.approval());
  for (const auto& [person, expected] :
       std::map<std::string, StatusCode>{{"admin-2", StatusCode::OK},
                                         {"auditor", StatusCode::OK},
                                         {"operator", StatusCode::NOT_FOUND},
                                         {"release", StatusCode::NOT_FOUND}}) {
    grpc::ClientContext context;
    v1::PendingAct shown;
    EXPECT_EQ(agency_.approvals(person)->Get(&context, request, &shown).error_code(), expected)
        << person;
  }
}

TEST_F(LivePeople, StatementIsSubmittedByWhoSignedIt) {
  policy::Statement statement;
  statement.kind = policy::StatementKind::kSignature;
  statement.agreement.id = policy::AgreementId::Parse("unknown").value();
  statement.agreement.version = 1;
  statement.party = policy::AgencyId::Parse(agency_.name()).value();
  statement.post = "Senior Information Risk Owner";
  statement.at = clock_.Now();
  const auto envelope = policy::MakeStatement(agency_.PersonKey("siro"), statement);
  v1::SubmitAgreementRequest request;
  request.set_statement(sign::EncodeDsseJson(*envelope));
  const auto submit = [&](const std::string& person) {
    grpc::ClientContext context;
    v1::SubmitAgreementResponse response;
    return agency_.agreements(person)->Submit(&context, request, &response).error_code();
  };
  EXPECT_EQ(submit("chief"), StatusCode::PERMISSION_DENIED);
  EXPECT_EQ(submit("siro"), StatusCode::NOT_FOUND);  // nobody knows the agreement
}

}  // namespace
}  // namespace comity::testing
