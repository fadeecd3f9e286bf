// SPDX-License-Identifier: Apache-2.0
// Waiting acts whose rows somebody changed so that they cannot be read, or not be ended, and those
// whose proposer was changed.
#include <SQLiteCpp/SQLiteCpp.h>

#include "services/identity/approvals.h"
#include "tests/unit/services/identity/identity_world.h"

namespace comity::identity {
namespace {

using comity::testing::FailsWith;
using comity::testing::IsOk;
using ::testing::HasSubstr;
using ::testing::SizeIs;

class ChangedApproval : public IdentityWorld {
 protected:
  PendingAct Start(const std::string& entry) {
    return Propose(Act::kDeploymentStart, entry, "operator-1").value();
  }
  void Change(const PendingAct& act, const std::string& change, const std::string& further = {}) {
    Close();
    SQLite::Database(agency_.database().string(), SQLite::OPEN_READWRITE, 5000)
        .exec("UPDATE approval SET " + change + " WHERE id = '" + act.id + "';" + further);
    agency_.Reopen();
    Open();
  }
  void Expire() { agency_.clock.Advance(Approvals::kDefaultLife + std::chrono::hours(1)); }
};

TEST_F(ChangedApproval, ThatCannotBeReadIsShownAsSuchAndEndedBesideTheOthers) {
  for (const char* change : {"proposed_by = 'nobody that an id can name'", "decided_by = '?'"}) {
    const PendingAct act = Start("one");
    Change(act, change);
    const PendingAct good = Start("good");
    const auto listed = approvals_->List(true, 10);
    ASSERT_THAT(listed, IsOk()) << change;
    ASSERT_THAT(*listed, SizeIs(2)) << change;
    EXPECT_EQ((*listed)[1].id, act.id) << change;
    EXPECT_THAT((*listed)[1].words, HasSubstr("not as it was proposed")) << change;
    EXPECT_THAT(Approve(act, "supervisor-1"), FailsWith(ErrorCode::kCorrupt)) << change;
    Expire();
    EXPECT_THAT(approvals_->Housekeep(), FailsWith(ErrorCode::kCorrupt)) << change;
    EXPECT_EQ(approvals_->Get(good.id)->state, store::ApprovalState::kExpired) << change;
    EXPECT_EQ(NoticesFor(Role::kAuditor).back().kind, notice::kApprovalsChanged) << change;
    EXPECT_THAT(approvals_->Housekeep(), IsOk()) << change;
    EXPECT_THAT(*approvals_->List(true, 10), SizeIs(0)) << change;
    EXPECT_THAT(approvals_->List(false, 10), IsOk()) << change;
    EXPECT_FALSE(IsDone("one")) << change;
  }
}

TEST_F(ChangedApproval, ThatCannotBeEndedKeepsNoOtherFromItsEnd) {
  const PendingAct act = Start("one");
  Change(act, "subject = 'another'",
         "CREATE TRIGGER keep BEFORE UPDATE ON approval WHEN old.id = '" + act.id +
             "' BEGIN SELECT RAISE(ABORT, 'kept'); END");
  const PendingAct good = Start("good");
  Expire();
  EXPECT_FALSE(approvals_->Housekeep());
  EXPECT_EQ(approvals_->Get(good.id)->state, store::ApprovalState::kExpired);
  EXPECT_FALSE(approvals_->Housekeep()) << "it is said each time";
}

// Whoever stole the former key proposed it, as far as anybody knows.
TEST_F(ChangedApproval, WhoseProposerHasOtherKeysByNowIsNotApproved) {
  const PendingAct act = Start("one");
  agency_.clock.Advance(std::chrono::seconds(1));
  keys_.erase("operator-1");
  ASSERT_THAT(Put(MakePerson("operator-1", {Role::kOperator})), IsOk());
  EXPECT_THAT(Approve(act, "supervisor-1"), FailsWith(ErrorCode::kPermissionDenied));
  EXPECT_FALSE(IsDone("one"));
  const std::string no = Decide(act, "supervisor-1", DecisionKind::kReject);
  EXPECT_THAT(approvals_->Reject(no, CallerOf("supervisor-1")), IsOk());
  EXPECT_THAT(Approve(Start("one"), "supervisor-1"), IsOk());
  EXPECT_TRUE(IsDone("one"));
}

}  // namespace
}  // namespace comity::identity
