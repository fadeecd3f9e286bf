// SPDX-License-Identifier: Apache-2.0
#include <SQLiteCpp/SQLiteCpp.h>
#include <gmock/gmock.h>

#include "services/audit/events.h"
#include "services/identity/approval_decision.h"
#include "services/identity/approvals.h"
#include "services/oversight/certificate_reinstate.h"
#include "services/store/approval_store.h"
#include "tests/unit/services/oversight/revocations_world.h"

namespace comity::oversight {
namespace {

using identity::Role;
using testing::FailsWith;
using ::testing::HasSubstr;
using testing::IsOk;

// An act that waits, of somebody whose key is revoked, and the office that decides it.
class ActsOfARevokedKey : public RevocationsWorld {
 protected:
  void SetUp() override {
    RevocationsWorld::SetUp();
    PutOffice();
    identity::Person siro = Find("siro");
    siro.signing_key = siro_key_.public_key();
    Put(siro);
    approvals_ = std::make_unique<identity::Approvals>(identity::Approvals::Setup{
        *store_, *log_, *people_, *notices_, own_, clock_, random_, kek_});
    act_ = std::make_unique<CertificateReinstate>(*revocations_);
    approvals_->Handle(identity::Act::kCertificateReinstate, *act_);
    approvals_->CheckKeysBy(
        [this](const store::Transaction& transaction, const identity::Person& person) {
          return revocations_->CheckKey(transaction, person);
        });
    barred_ = MustRevoke("a partner's key");
  }
  void TearDown() override {
    approvals_.reset();
    act_.reset();
    RevocationsWorld::TearDown();
  }
  void StartAgain() {
    act_.reset();
    approvals_.reset();
    MustOpenAll();
    approvals_ = std::make_unique<identity::Approvals>(identity::Approvals::Setup{
        *store_, *log_, *people_, *notices_, own_, clock_, random_, kek_});
  }
  identity::Caller CallerOf(const std::string& id) { return {Find(id).id, Find(id).roles}; }
  Result<identity::PendingAct> Propose(const std::string& by, const std::string& reason) {
    return approvals_->Propose(identity::Act::kCertificateReinstate,
                               EncodeCertificateReinstate(barred_, reason), "revocation",
                               CallerOf(by));
  }
  Result<identity::PendingAct> ApproveBySiro(const identity::PendingAct& act) {
    const auto decision = identity::SignDecision(
        siro_key_, {act.id, act.act, act.sha256, identity::DecisionKind::kApprove, Find("siro").id,
                    clock_.Now(), ""});
    return approvals_->Approve(decision.value(), CallerOf("siro"));
  }

  const sign::SigningKey siro_key_ = sign::SigningKey::Generate(random_);
  std::unique_ptr<identity::Approvals> approvals_;
  std::unique_ptr<CertificateReinstate> act_;
  std::string barred_;
};

TEST_F(ActsOfARevokedKey, AreRejectedWithTheRevocation) {
  const auto theirs = Propose("supervisor", "so that the thief comes in");
  const auto others = Propose("dpo", "it was found");
  ASSERT_THAT(theirs, IsOk());
  ASSERT_THAT(others, IsOk());
  ASSERT_THAT(RevokeKeyOf("supervisor", "siro"), IsOk());
  const auto rejected = approvals_->Get(theirs->id);
  ASSERT_THAT(rejected, IsOk());
  EXPECT_EQ(rejected->state, store::ApprovalState::kRejected);
  EXPECT_EQ(rejected->decided_by->text(), "siro");
  EXPECT_THAT(rejected->reason, HasSubstr(Standing().front()));
  EXPECT_EQ(CountEvents(audit::kApprovalDecided), 1U);
  EXPECT_THAT(NoticesFor(Role::kDpo).back().words, HasSubstr("was rejected"));
  EXPECT_THAT(ApproveBySiro(*theirs), FailsWith(ErrorCode::kConflict));
  EXPECT_EQ(approvals_->Get(others->id)->state, store::ApprovalState::kPending);
  EXPECT_THAT(ApproveBySiro(*others), IsOk());
}

// A call that was let in before the revocation, and an act that came back with an old database.
TEST_F(ActsOfARevokedKey, AreNeitherProposedNorApprovedAfterwards) {
  const auto theirs = Propose("supervisor", "so that the thief comes in");
  ASSERT_THAT(theirs, IsOk());
  ASSERT_THAT(RevokeKeyOf("supervisor", "siro"), IsOk());
  EXPECT_THAT(Propose("supervisor", "again"), FailsWith(ErrorCode::kPermissionDenied));
  ASSERT_THAT(Write([&](store::Transaction& tx) {
                return tx.approvals().Change(*theirs, store::ApprovalState::kRejected);
              }),
              IsOk());
  ASSERT_EQ(approvals_->Get(theirs->id)->state, store::ApprovalState::kPending);
  const auto denied = ApproveBySiro(*theirs);
  ASSERT_THAT(denied, FailsWith(ErrorCode::kPermissionDenied));
  EXPECT_THAT(denied.error().detail, HasSubstr("supervisor"));
  // Nor does the owner of a revoked key decide what others proposed.
  const auto others = Propose("dpo", "it was found");
  ASSERT_THAT(others, IsOk());
  ASSERT_THAT(RevokeKeyOf("siro", "dpo"), IsOk());
  EXPECT_THAT(ApproveBySiro(*others), FailsWith(ErrorCode::kPermissionDenied));
  EXPECT_EQ(Standing().size(), 3U) << "the partner's, the supervisor's and siro's";
}

// A row that somebody damaged keeps nobody from barring the key.
TEST_F(ActsOfARevokedKey, DoNotKeepItFromBeingRevoked) {
  const auto theirs = Propose("supervisor", "it was found");
  ASSERT_THAT(theirs, IsOk());
  store::ApprovalRecord damaged = *theirs;
  damaged.id = "p-damaged";
  damaged.unsalted = hash::Sha256(AsBytes("another"));
  damaged.subject = "an act that nobody proposed";
  ASSERT_THAT(Write([&](store::Transaction& tx) { return tx.approvals().Add(damaged); }), IsOk());
  ASSERT_THAT(RevokeKeyOf("supervisor", "siro"), IsOk());
  EXPECT_EQ(approvals_->Get(theirs->id)->state, store::ApprovalState::kRejected);
  EXPECT_EQ(CountEvents(audit::kApprovalDecided), 1U) << "the damaged one goes without words";
  const auto told = notices_->List(identity::RoleSet{Role::kDpo}, 0, false, 100);
  ASSERT_THAT(told, IsOk());
  EXPECT_EQ(std::ranges::count(*told, std::string(identity::notice::kApprovalsChanged),
                               &identity::StoredNotice::kind),
            1)
      << "nobody was told that it was not as it was proposed";
}

// Somebody has the database refuse that an act changes, and undo what changed with it.
class ActsThatTheDatabaseKeeps : public ActsOfARevokedKey {
 protected:
  void SetUp() override {
    ActsOfARevokedKey::SetUp();
    const auto theirs = Propose("supervisor", "so that the thief comes in");
    ASSERT_THAT(theirs, IsOk());
    theirs_ = *theirs;
    Execute("CREATE TRIGGER keep BEFORE UPDATE ON approval WHEN OLD.id = '" + theirs_.id +
            "' BEGIN SELECT RAISE(ROLLBACK, 'not this one'); END");
  }
  void Execute(const std::string& sql) {
    SQLite::Database((Data() / "comity.db").string(), SQLite::OPEN_READWRITE, 5000).exec(sql);
  }
  std::size_t Told(std::string_view kind) {
    const auto told = notices_->List(identity::RoleSet{Role::kDpo}, 0, false, 100);
    EXPECT_THAT(told, IsOk());
    return static_cast<std::size_t>(
        std::ranges::count(*told, std::string(kind), &identity::StoredNotice::kind));
  }
  store::ApprovalState State() { return approvals_->Get(theirs_.id)->state; }

  identity::PendingAct theirs_;
};

TEST_F(ActsThatTheDatabaseKeeps, KeepNoKeyFromBeingBarred) {
  int in_force = 0;
  revocations_->OnChange([&](const RevocationTable& table) {
    in_force = static_cast<int>(std::ranges::count_if(
        table.revocations, [](const CertificateRevocation& one) { return one.stands(); }));
  });
  ASSERT_EQ(in_force, 1);
  ASSERT_THAT(RevokeKeyOf("supervisor", "siro"), IsOk());
  EXPECT_EQ(in_force, 2) << "in memory, where channels and calls ask";
  EXPECT_EQ(CountEvents(audit::kCertificateRevoked), 2U);
  EXPECT_EQ(Told(identity::notice::kCertificateRevoked), 2U);
  // It stays among what waits, and is good for nothing.
  EXPECT_EQ(State(), store::ApprovalState::kPending);
  EXPECT_THAT(ApproveBySiro(theirs_), FailsWith(ErrorCode::kPermissionDenied));
  EXPECT_EQ(Told(identity::notice::kTamperFound), 1U);
  EXPECT_FALSE(revocations_->Housekeep().has_value());
  EXPECT_EQ(Told(identity::notice::kTamperFound), 1U) << "once";
  // No end of the revocation before the act's.
  const std::string bar = Standing().front();
  EXPECT_FALSE(Reinstate(bar).has_value());
  EXPECT_EQ(Standing().front(), bar);
  Execute("DROP TRIGGER keep");
  EXPECT_THAT(revocations_->Housekeep(), IsOk());
  EXPECT_EQ(State(), store::ApprovalState::kRejected);
  EXPECT_THAT(Reinstate(bar), IsOk());
  EXPECT_THAT(ApproveBySiro(theirs_), FailsWith(ErrorCode::kConflict));
}

// The way back after a theft: another key for its owner. The thief's act does not become theirs.
TEST_F(ActsThatTheDatabaseKeeps, AreNotApprovedOnceTheirOwnerHasAnotherKey) {
  ASSERT_THAT(RevokeKeyOf("supervisor", "siro"), IsOk());
  clock_.Advance(std::chrono::seconds(1));
  identity::Person supervisor = Find("supervisor");
  supervisor.tls_key = hash::Sha256(AsBytes("another key"));
  Put(supervisor);
  ASSERT_EQ(State(), store::ApprovalState::kPending);
  const auto denied = ApproveBySiro(theirs_);
  ASSERT_THAT(denied, FailsWith(ErrorCode::kPermissionDenied));
  EXPECT_THAT(denied.error().detail, HasSubstr("was changed since"));
  EXPECT_EQ(State(), store::ApprovalState::kPending);
}

// Neither does it keep the gateway from serving: what nobody can approve is no reason to.
TEST_F(ActsThatTheDatabaseKeeps, KeepNoGatewayFromItsStart) {
  ASSERT_THAT(RevokeKeyOf("supervisor", "siro"), IsOk());
  StartAgain();
  EXPECT_EQ(Standing().size(), 2U);
  EXPECT_EQ(State(), store::ApprovalState::kPending);
  EXPECT_EQ(Told(identity::notice::kTamperFound), 2U) << "once in each life of a gateway";
}

// Whoever has the database refuse it also chooses its words.
TEST_F(ActsThatTheDatabaseKeeps, AreToldOfWhateverTheDatabaseSays) {
  Execute("DROP TRIGGER keep");
  Execute("CREATE TRIGGER keep BEFORE UPDATE ON approval WHEN OLD.id = '" + theirs_.id +
          "' BEGIN SELECT RAISE(ROLLBACK, '" + std::string(5000, 'x') + "\n'); END");
  ASSERT_THAT(RevokeKeyOf("supervisor", "siro"), IsOk());
  EXPECT_EQ(Told(identity::notice::kTamperFound), 1U);
}

// As after a kill between the two commits.
TEST_F(ActsThatTheDatabaseKeeps, AreRejectedByTheNextStart) {
  ASSERT_THAT(RevokeKeyOf("supervisor", "siro"), IsOk());
  ASSERT_EQ(State(), store::ApprovalState::kPending);
  Execute("DROP TRIGGER keep");
  StartAgain();
  EXPECT_EQ(State(), store::ApprovalState::kRejected);
}

// An older database, whose table does not know of the revocation: the ledger does.
TEST_F(ActsOfARevokedKey, AreRejectedWhenTheRevocationComesOutOfTheLedger) {
  const auto theirs = Propose("supervisor", "so that the thief comes in");
  ASSERT_THAT(theirs, IsOk());
  const std::string before = Stored();
  ASSERT_THAT(RevokeKeyOf("supervisor", "siro"), IsOk());
  ASSERT_THAT(Write([&](store::Transaction& tx) {
                return tx.approvals().Change(*theirs, store::ApprovalState::kRejected);
              }),
              IsOk());
  PutStored(before);
  StartAgain();
  const auto rejected = approvals_->Get(theirs->id);
  ASSERT_THAT(rejected, IsOk());
  EXPECT_EQ(rejected->state, store::ApprovalState::kRejected);
  EXPECT_EQ(rejected->decided_by->text(), "erasure-ledger");
}

}  // namespace
}  // namespace comity::oversight
