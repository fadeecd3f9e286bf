// SPDX-License-Identifier: Apache-2.0
// Every role tries every act at a live gateway: it is turned away or not, exactly as the roles
// matrix says (services/identity/act.cc, checked against the domain study by act_test). An act
// without a call here fails the test.
#include <gtest/gtest.h>

#include <functional>
#include <map>

#include "comity/v1/certificates.grpc.pb.h"
#include "comity/v1/holdings.grpc.pb.h"
#include "comity/v1/peers.grpc.pb.h"
#include "comity/v1/recognition.grpc.pb.h"
#include "comity/v1/retention.grpc.pb.h"
#include "comity/v1/stops.grpc.pb.h"
#include "crypto/hash/sha256.h"
#include "services/identity/act.h"
#include "services/identity/approval_vouch.h"
#include "services/store/approval_store.h"
#include "services/store/sqlite/sqlite_store.h"
#include "services/transport/key_encryption_file.h"
#include "services/transport/pki.h"
#include "tests/integration/live_agency.h"
#include "tests/support/result_matchers.h"
#include "tests/support/staff.h"

namespace comity::testing {
namespace {

using identity::Act;
using identity::Role;
using Call = std::function<grpc::Status(const std::string& person)>;

const std::map<Role, std::string> kOneOfEach = {{Role::kOperator, "operator"},
                                                {Role::kAdjudicator, "adjudicator"},
                                                {Role::kSupervisor, "supervisor-2"},
                                                {Role::kReleaseOfficer, "release"},
                                                {Role::kDpo, "dpo"},
                                                {Role::kSignatory, "siro"},
                                                {Role::kAuditor, "auditor"},
                                                {Role::kAdministrator, "admin-1"},
                                                {Role::kKeyAdministrator, "keys-1"}};

class RolesMatrix : public ::testing::Test {
 protected:
  RolesMatrix() {
    agency_.Start({});
    agency_.Stop();
    AddUrgentActs();
    agency_.Start({});
    AddCalls();
  }

  // An empty request: whoever is let in is told what is wrong with it, the others that they may
  // not.
  template <typename Service, typename Request, typename Response>
  Call Unary(grpc::Status (Service::*method)(grpc::ClientContext*, const Request&, Response*),
             Request request = {}) {
    return [this, method, request](const std::string& person) {
      Service stub(agency_.ChannelOf(person));
      grpc::ClientContext context;
      Response response;
      return (stub.*method)(&context, request, &response);
    };
  }
  template <typename Service, typename Request, typename Response>
  Call Reading(std::unique_ptr<grpc::ClientReader<Response>> (Service::*method)(
                   grpc::ClientContext*, const Request&),
               Request request = {}) {
    return [this, method, request](const std::string& person) {
      Service stub(agency_.ChannelOf(person));
      grpc::ClientContext context;
      const auto reader = (stub.*method)(&context, request);
      Response response;
      while (reader->Read(&response)) {
      }
      return reader->Finish();
    };
  }
  // About an agreement that nobody knows, signed by who sends it.
  Call Statement(policy::StatementKind kind) {
    return [this, kind](const std::string& person) {
      policy::Statement statement;
      statement.kind = kind;
      statement.agreement.id = policy::AgreementId::Parse("unknown").value();
      statement.agreement.version = 1;
      statement.party = policy::AgencyId::Parse(agency_.name()).value();
      statement.post = "Some post";
      statement.at = runtime::SystemClock().Now();
      statement.text = "because";
      if (kind == policy::StatementKind::kAdvice) statement.position = policy::AdvicePosition::kFor;
      const auto envelope = policy::MakeStatement(agency_.PersonKey(person), statement);
      EXPECT_THAT(envelope, IsOk());
      v1::SubmitAgreementRequest request;
      request.set_statement(sign::EncodeDsseJson(*envelope));
      grpc::ClientContext context;
      v1::SubmitAgreementResponse response;
      return agency_.agreements(person)->Submit(&context, request, &response);
    };
  }
  // Reviews the act that supervisor-1 carried out alone, one for each reviewer.
  Call Review() {
    return [this](const std::string& person) {
      v1::PendingAct act = urgent_.at(person);
      return Decide(agency_.ChannelOf(person), agency_.pki(), person, act,
                    identity::DecisionKind::kUphold);
    };
  }

  void AddUrgentActs();
  void AddCalls();
  void AddOtherCalls();

  LiveAgency agency_{"northshire-police"};
  std::map<std::string, v1::PendingAct> urgent_;
  std::map<Act, Call> calls_;
};

void RolesMatrix::AddUrgentActs() {
  const auto store = store::OpenSqliteStore(agency_.data());
  ASSERT_THAT(store, IsOk());
  const auto kek = transport::ReadKeyEncryptionFile(agency_.pki() / "keys" / "key-encryption.key");
  ASSERT_THAT(kek, IsOk());
  for (const auto& [role, person] : kOneOfEach) {
    store::ApprovalRecord act;
    const auto digit = static_cast<char>('a' + static_cast<int>(role));
    act.id = "p-" + std::string(25, 'a') + digit;
    act.act = Name(Act::kDeploymentStart);
    act.subject = "deployment";
    act.content = R"({"salt":"00"})";
    act.sha256 = hash::Sha256(AsBytes(act.content));
    act.unsalted = hash::Sha256(AsBytes(person));
    act.words = "Start.\n";
    act.state = store::ApprovalState::kUrgent;
    act.proposed_by = policy::PersonId::Parse("supervisor-1").value();
    act.decided_by = act.proposed_by;
    act.proposed_at = runtime::SystemClock().Now();
    act.expires_at = act.proposed_at + std::chrono::hours(1);
    act.review_by = act.expires_at;
    act.vouched = identity::VouchForAct(*kek, act);
    ASSERT_THAT((*store)->Write([&](store::Transaction& t) { return t.approvals().Add(act); }),
                IsOk());
    v1::PendingAct& proto = urgent_[person];
    proto.set_approval(act.id);
    proto.set_act(act.act);
    proto.set_sha256(act.sha256.bytes.data(), act.sha256.bytes.size());
  }
}

void RolesMatrix::AddCalls() {
  using policy::StatementKind;
  v1::SubmitAgreementRequest document;
  document.set_document("not a document");
  v1::RevokePersonRequest privileged;
  privileged.set_id("chief");
  calls_ = {
      {Act::kPersonRead, Unary(&v1::People::Stub::List)},
      {Act::kPersonAdd, Unary(&v1::People::Stub::Add)},
      {Act::kPersonRole, Unary(&v1::People::Stub::Change)},
      {Act::kPersonRevoke, Unary(&v1::People::Stub::Revoke)},
      {Act::kPersonRevokePrivileged, Unary(&v1::People::Stub::Revoke, privileged)},
      {Act::kPeerRead, Unary(&v1::Peers::Stub::List)},
      {Act::kPeerInvite, Unary(&v1::Peers::Stub::Invite)},
      {Act::kPeerEnrol, Unary(&v1::Peers::Stub::Accept)},
      {Act::kPeerRekey, Unary(&v1::Peers::Stub::Rekey)},
      {Act::kPeerSuspend, Unary(&v1::Peers::Stub::Suspend)},
      {Act::kPeerResume, Unary(&v1::Peers::Stub::Resume)},
      {Act::kPeerRemove, Unary(&v1::Peers::Stub::Remove)},
      {Act::kCertificateRead, Unary(&v1::Certificates::Stub::List)},
      {Act::kCertificateRevoke, Unary(&v1::Certificates::Stub::Revoke)},
      {Act::kCertificateReinstate, Unary(&v1::Certificates::Stub::Reinstate)},
      {Act::kAgreementRead, Unary(&v1::Agreements::Stub::List)},
      {Act::kAgreementDraft, Unary(&v1::Agreements::Stub::Submit, document)},
      {Act::kAgreementAdvise, Statement(StatementKind::kAdvice)},
      {Act::kAgreementSign, Statement(StatementKind::kSignature)},
      {Act::kAgreementSuspend, Statement(StatementKind::kSuspension)},
      {Act::kAgreementReview, Statement(StatementKind::kReview)},
      {Act::kAgreementExplain, Unary(&v1::Agreements::Stub::Explain)},
      {Act::kDeploymentRead, Unary(&v1::Deployments::Stub::List)},
      {Act::kDeploymentStart, Unary(&v1::Deployments::Stub::Propose)},
      {Act::kDeploymentStop, Unary(&v1::Deployments::Stub::Stop)},
      {Act::kThresholdLower, Unary(&v1::Deployments::Stub::Change)},
      {Act::kOfferRead, Unary(&v1::Recognition::Stub::Offers)},
      {Act::kSearchIdentify, Unary(&v1::Recognition::Stub::Identify)},
      {Act::kAlertRead, Unary(&v1::Alerts::Stub::List)},
      {Act::kAlertAdjudicate, Unary(&v1::Alerts::Stub::Acknowledge)},
      {Act::kAlertOpen, Unary(&v1::Alerts::Stub::Open)},
      {Act::kStopSet, Unary(&v1::Stops::Stub::Set)},
      {Act::kStopRead, Unary(&v1::Stops::Stub::List)},
      {Act::kStopLift, Unary(&v1::Stops::Stub::Lift)},
  };
  AddOtherCalls();
}

void RolesMatrix::AddOtherCalls() {
  const std::map<Act, Call> others = {
      {Act::kWatchlistRead, Unary(&v1::Watchlists::Stub::Status)},
      {Act::kWatchlistDraft, Unary(&v1::Watchlists::Stub::Draft)},
      {Act::kWatchlistApprove, Unary(&v1::Watchlists::Stub::Submit)},
      {Act::kWatchlistClose, Unary(&v1::Watchlists::Stub::Close)},
      {Act::kWatchlistShred, Unary(&v1::Watchlists::Stub::Shred)},
      {Act::kWatchlistAudit, Unary(&v1::Watchlists::Stub::Audit)},
      {Act::kEntryApprove, Unary(&v1::Watchlists::Stub::ApproveEntries)},
      {Act::kEntryRead, Unary(&v1::Watchlists::Stub::ShowEntry)},
      {Act::kEntryWithdraw, Unary(&v1::Watchlists::Stub::Withdraw)},
      {Act::kEntryCorrect, Unary(&v1::Watchlists::Stub::Correct)},
      {Act::kEntryRestrict, Unary(&v1::Watchlists::Stub::Restrict)},
      {Act::kEntryUnrestrict, Unary(&v1::Watchlists::Stub::Unrestrict)},
      {Act::kManifestRead, Unary(&v1::Watchlists::Stub::WasOn)},
      {Act::kHoldingRead, Unary(&v1::Holdings::Stub::OfReference)},
      {Act::kApprovalRead, Unary(&v1::Approvals::Stub::List)},
      {Act::kApprovalDecide, Unary(&v1::Approvals::Stub::Decide)},
      {Act::kUrgentReview, Review()},
      {Act::kNoticeRead, Unary(&v1::Notices::Stub::List)},
      {Act::kAuditExport, Reading(&v1::Audit::Stub::Export)},
      {Act::kAuditProve, Unary(&v1::Audit::Stub::Prove)},
      {Act::kAuditOpen, Unary(&v1::Audit::Stub::RequestOpening)},
      {Act::kRetentionRead, Unary(&v1::Retention::Stub::Due)},
      {Act::kRetentionRun, Unary(&v1::Retention::Stub::Run)},
      {Act::kRetentionHold, Unary(&v1::Retention::Stub::Hold)},
      {Act::kRetentionRelease, Unary(&v1::Retention::Stub::Release)},
      {Act::kBackup, Reading(&v1::Backup::Stub::Make)},
      {Act::kRestoreConfirm, Unary(&v1::Backup::Stub::Confirm)},
      {Act::kConfigurationAcknowledge, Unary(&v1::Node::Stub::AcknowledgeConfiguration)},
      {Act::kNodeStatus, Unary(&v1::Node::Stub::Status)},
  };
  calls_.insert(others.begin(), others.end());
}

TEST_F(RolesMatrix, IsWhatTheGatewayDoes) {
  for (const identity::ActRule& rule : identity::ActRules()) {
    const auto call = calls_.find(rule.act);
    ASSERT_NE(call, calls_.end()) << "no call tries " << rule.name;
    for (const auto& [role, person] : kOneOfEach) {
      const grpc::Status status = call->second(person);
      const bool refused = status.error_code() == grpc::StatusCode::PERMISSION_DENIED;
      EXPECT_EQ(refused, !rule.roles.Has(role))
          << rule.name << " by " << Name(role) << ": " << status.error_code() << " "
          << status.error_message();
      EXPECT_NE(status.error_code(), grpc::StatusCode::UNIMPLEMENTED) << rule.name;
      EXPECT_NE(status.error_code(), grpc::StatusCode::UNAUTHENTICATED) << rule.name;
      EXPECT_NE(status.error_code(), grpc::StatusCode::INTERNAL)
          << rule.name << " by " << person << status.error_message();
    }
  }
}

TEST_F(RolesMatrix, LetsNobodyInWhomItDoesNotKnow) {
  transport::IssueRequest request;
  request.kind = transport::PeerKind::kPerson;
  request.name = "stranger";
  ASSERT_THAT(transport::Issue(agency_.pki(), request, runtime::SystemClock().Now()), IsOk());
  for (const auto& [act, call] : calls_) {
    if (act == Act::kUrgentReview) continue;  // its call needs an act of that person
    EXPECT_EQ(call("stranger").error_code(), grpc::StatusCode::PERMISSION_DENIED) << Name(act);
  }
}

}  // namespace
}  // namespace comity::testing
