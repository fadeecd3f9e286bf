// SPDX-License-Identifier: Apache-2.0
#include "services/identity/approvals.h"

#include <SQLiteCpp/SQLiteCpp.h>

#include <thread>

#include "services/audit/events.h"
#include "services/identity/approval_content.h"
#include "tests/unit/services/identity/identity_world.h"

namespace comity::identity {
namespace {

using comity::testing::FailsWith;
using comity::testing::IsOk;
using store::ApprovalState;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using namespace std::chrono_literals;

class ApprovalsTest : public IdentityWorld {
 protected:
  PendingAct Start(const std::string& entry = "one", const std::string& person = "operator-1") {
    return Propose(Act::kDeploymentStart, entry, person).value();
  }
  Result<PendingAct> Reject(const PendingAct& act, const std::string& person) {
    return approvals_->Reject(Decide(act, person, DecisionKind::kReject), CallerOf(person));
  }
  Result<PendingAct> Urgent(const PendingAct& act, const std::string& person) {
    return approvals_->CarryUrgently(Decide(act, person, DecisionKind::kUrgent, "life at risk"),
                                     CallerOf(person));
  }
  Result<PendingAct> Review(const PendingAct& act, const std::string& person,
                            DecisionKind kind = DecisionKind::kUphold) {
    return approvals_->Review(Decide(act, person, kind), CallerOf(person));
  }
  ApprovalState StateOf(const PendingAct& act) { return approvals_->Get(act.id)->state; }
};

TEST_F(ApprovalsTest, CarriesOutNothingBeforeASecondPersonApproves) {
  const PendingAct act = Start();
  EXPECT_FALSE(IsDone("one"));
  EXPECT_EQ(act.state, ApprovalState::kPending);
  EXPECT_EQ(act.words, "Write the entry one.\n");
  EXPECT_EQ(act.expires_at, agency_.clock.Now() + Approvals::kDefaultLife);
  const auto approved = Approve(act, "supervisor-1");
  ASSERT_THAT(approved, IsOk());
  EXPECT_EQ(approved->state, ApprovalState::kApproved);
  EXPECT_EQ(approved->decided_by->text(), "supervisor-1");
  EXPECT_TRUE(IsDone("one"));
  EXPECT_EQ(ledger_.refreshed, 1);
}

TEST_F(ApprovalsTest, KeepsAPendingActAcrossARestart) {
  const PendingAct act = Start();
  Restart();
  EXPECT_EQ(approvals_->Get(act.id)->words, act.words);
  EXPECT_THAT(Approve(act, "supervisor-1"), IsOk());
  EXPECT_TRUE(IsDone("one"));
}

// What somebody who can write into the database makes of an act that waits.
TEST_F(ApprovalsTest, AnActThatWasChangedInTheDatabaseIsNeitherShownNorCarriedOut) {
  const PendingAct other = Start("other");
  const std::vector<std::string> changes = {
      "words = 'Nothing of importance.'",
      "proposed_by = 'admin-2'",
      "expires_at = expires_at + 1",
      "subject = 'entry nobody'",
      "subject = CAST(x'ff' AS TEXT)",
      "act = 'threshold-lower'",
      "content = (SELECT content FROM approval WHERE id = '" + other.id + "')",
      "vouched = x''",
      "vouched = (SELECT vouched FROM approval WHERE id = '" + other.id + "')"};
  for (const std::string& change : changes) {
    const PendingAct act = Start("one");
    EXPECT_THAT(approvals_->Get(act.id), IsOk());
    Close();
    SQLite::Database(agency_.database().string(), SQLite::OPEN_READWRITE, 5000)
        .exec("UPDATE approval SET " + change + " WHERE id = '" + act.id + "'");
    agency_.Reopen();
    Open();
    EXPECT_THAT(approvals_->Get(act.id), FailsWith(ErrorCode::kCorrupt)) << change;
    EXPECT_THAT(Approve(act, "supervisor-1"), FailsWith(ErrorCode::kCorrupt)) << change;
    EXPECT_FALSE(IsDone("one")) << change;
    EXPECT_FALSE(IsDone("other")) << change;
    // It is ended and keeps nothing else from its end.
    const PendingAct good = Start("good");
    agency_.clock.Advance(Approvals::kDefaultLife + 1h);
    EXPECT_THAT(approvals_->Housekeep(), FailsWith(ErrorCode::kCorrupt)) << change;
    EXPECT_EQ(approvals_->Get(good.id)->state, store::ApprovalState::kExpired) << change;
    EXPECT_EQ(NoticesFor(Role::kAuditor).back().kind, notice::kApprovalsChanged) << change;
    EXPECT_THAT(approvals_->Housekeep(), IsOk()) << change;
  }
}

TEST_F(ApprovalsTest, WhoseAccessEndedInTheSameMomentDecidesNothing) {
  const PendingAct act = Start();
  const Caller let_in = CallerOf("supervisor-1");
  const std::string decision = Decide(act, "supervisor-1", DecisionKind::kApprove);
  // The revocation is in the store, and memory does not know it yet.
  Person person = people_->Find(let_in.person).value();
  person.active = false;
  ASSERT_THAT(PutUnseen(person), IsOk());
  EXPECT_THAT(approvals_->Approve(decision, let_in), FailsWith(ErrorCode::kPermissionDenied));
  EXPECT_FALSE(IsDone("one"));
}

TEST_F(ApprovalsTest, AnActOfSomebodyWhoseAccessEndedInTheSameMomentIsNotCarriedOut) {
  const PendingAct act = Start();
  Person proposer = people_->Find(act.proposed_by).value();
  proposer.active = false;
  ASSERT_THAT(PutUnseen(proposer), IsOk());
  EXPECT_THAT(Approve(act, "supervisor-1"), FailsWith(ErrorCode::kPermissionDenied));
  EXPECT_FALSE(IsDone("one"));
}

TEST_F(ApprovalsTest, RolesAndKeyAreThoseOfTheMomentOfTheDecision) {
  const PendingAct act = Start();
  const Caller let_in = CallerOf("supervisor-1");
  const std::string decision = Decide(act, "supervisor-1", DecisionKind::kApprove);
  Person person = people_->Find(let_in.person).value();
  person.roles = {Role::kOperator};
  ASSERT_THAT(PutUnseen(person), IsOk());
  EXPECT_THAT(approvals_->Approve(decision, let_in), FailsWith(ErrorCode::kPermissionDenied));
  person.roles = {Role::kSupervisor};
  person.signing_key = sign::SigningKey::Generate(agency_.random).public_key();
  ASSERT_THAT(PutUnseen(person), IsOk());
  EXPECT_THAT(approvals_->Approve(decision, let_in), FailsWith(ErrorCode::kCorrupt));
  EXPECT_FALSE(IsDone("one"));
}

TEST_F(ApprovalsTest, OneProposerLeavesRoomForTheOthers) {
  for (std::size_t i = 0; i < Approvals::kMaxPendingOfOne; ++i) Start("e" + std::to_string(i));
  EXPECT_THAT(Propose(Act::kDeploymentStart, "more", "operator-1"),
              FailsWith(ErrorCode::kExhausted));
  const auto other = Propose(Act::kDeploymentStart, "more", "supervisor-1");
  ASSERT_THAT(other, IsOk());
  EXPECT_THAT(Reject(*approvals_->Get(Start("again", "supervisor-1").id), "supervisor-2"), IsOk());
}

TEST_F(ApprovalsTest, ProposerCannotApproveOwnAct) {
  const PendingAct act = Start("one", "supervisor-1");
  EXPECT_THAT(Approve(act, "supervisor-1"), FailsWith(ErrorCode::kPermissionDenied));
  EXPECT_FALSE(IsDone("one"));
  EXPECT_THAT(Approve(act, "supervisor-2"), IsOk());
}

TEST_F(ApprovalsTest, ProposerOfSeveralRolesIsStillOnePerson) {
  ASSERT_THAT(Put(MakePerson("operator-1", {Role::kOperator, Role::kSupervisor})), IsOk());
  const PendingAct act = Start();
  EXPECT_THAT(Approve(act, "operator-1"), FailsWith(ErrorCode::kPermissionDenied));
  EXPECT_FALSE(IsDone("one"));
}

TEST_F(ApprovalsTest, RoleThatMayNotApproveCannot) {
  const PendingAct act = Start();
  for (const char* person : {"dpo", "admin-1", "auditor", "keys-1"}) {
    EXPECT_THAT(Approve(act, person), FailsWith(ErrorCode::kPermissionDenied));
  }
  EXPECT_FALSE(IsDone("one"));
}

TEST_F(ApprovalsTest, RoleThatMayNotProposeCannot) {
  EXPECT_THAT(Propose(Act::kDeploymentStart, "one", "dpo"),
              FailsWith(ErrorCode::kPermissionDenied));
  EXPECT_THAT(Propose(Act::kThresholdLower, "one", "operator-1"),
              FailsWith(ErrorCode::kPermissionDenied));
}

TEST_F(ApprovalsTest, AnActThatOnePersonDoesIsNotProposed) {
  EXPECT_THAT(Propose(Act::kDeploymentStop, "one", "operator-1"), FailsWith(ErrorCode::kInternal));
}

TEST_F(ApprovalsTest, DecisionBindsTheContentItNames) {
  const PendingAct act = Start("one");
  PendingAct other = Start("two");
  other.id = act.id;  // signed over the hash of another content
  EXPECT_THAT(Approve(other, "supervisor-1"), FailsWith(ErrorCode::kConflict));
  PendingAct renamed = act;
  renamed.act = "threshold-lower";
  EXPECT_THAT(Approve(renamed, "supervisor-1"), FailsWith(ErrorCode::kConflict));
  EXPECT_FALSE(IsDone("one"));
}

TEST_F(ApprovalsTest, DecisionOfAnotherSignerOrAnotherPersonIsRefused) {
  const PendingAct act = Start();
  const std::string theirs = Decide(act, "supervisor-2", DecisionKind::kApprove);
  EXPECT_THAT(approvals_->Approve(theirs, CallerOf("supervisor-1")),
              FailsWith(ErrorCode::kCorrupt));
  Decision decision = ParseDecision(theirs).value();
  const std::string forged = SignDecision(KeyOf("supervisor-1"), decision).value();
  EXPECT_THAT(approvals_->Approve(forged, CallerOf("supervisor-1")),
              FailsWith(ErrorCode::kPermissionDenied));
  EXPECT_FALSE(IsDone("one"));
}

TEST_F(ApprovalsTest, DecisionOfOneKindIsNotTakenForAnother) {
  const PendingAct act = Start();
  EXPECT_THAT(approvals_->Approve(Decide(act, "supervisor-1", DecisionKind::kReject),
                                  CallerOf("supervisor-1")),
              FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_THAT(approvals_->Reject(Decide(act, "supervisor-1", DecisionKind::kApprove),
                                 CallerOf("supervisor-1")),
              FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_EQ(StateOf(act), ApprovalState::kPending);
}

TEST_F(ApprovalsTest, DecisionDatedInTheFutureOrBeforeTheProposalIsRefused) {
  const PendingAct act = Start();
  agency_.clock.Advance(1h);
  const std::string late = Decide(act, "supervisor-1", DecisionKind::kApprove);
  agency_.clock.Advance(-1h);
  EXPECT_THAT(approvals_->Approve(late, CallerOf("supervisor-1")),
              FailsWith(ErrorCode::kInvalidArgument));
  agency_.clock.Advance(-1h);
  const std::string early = Decide(act, "supervisor-1", DecisionKind::kApprove);
  agency_.clock.Advance(1h);
  EXPECT_THAT(approvals_->Approve(early, CallerOf("supervisor-1")),
              FailsWith(ErrorCode::kConflict));
}

TEST_F(ApprovalsTest, IsDecidedOnce) {
  const PendingAct act = Start();
  ASSERT_THAT(Approve(act, "supervisor-1"), IsOk());
  EXPECT_THAT(Approve(act, "supervisor-2"), FailsWith(ErrorCode::kConflict));
  EXPECT_THAT(Reject(act, "supervisor-2"), FailsWith(ErrorCode::kConflict));
  EXPECT_EQ(ledger_.refreshed, 1);
  EXPECT_EQ(agency_.CountEvents(audit::kApprovalDecided), 1U);
}

TEST_F(ApprovalsTest, IsDecidedOnceByManyWhoApproveAtOnce) {
  const PendingAct act = Start();
  std::atomic<int> approved = 0;
  {
    std::vector<std::jthread> approvers;
    for (int i = 0; i < 8; ++i) {
      const std::string person = i % 2 == 0 ? "supervisor-1" : "supervisor-2";
      const std::string decision = Decide(act, person, DecisionKind::kApprove);
      approvers.emplace_back([this, decision, person, &approved] {
        if (approvals_->Approve(decision, CallerOf(person))) ++approved;
      });
    }
  }
  EXPECT_EQ(approved, 1);
  EXPECT_EQ(agency_.CountEvents(audit::kApprovalDecided), 1U);
}

TEST_F(ApprovalsTest, EndsWithARejectionByEitherSide) {
  const PendingAct first = Start("one");
  ASSERT_THAT(Reject(first, "supervisor-1"), IsOk());
  const PendingAct second = Start("two");
  ASSERT_THAT(Reject(second, "operator-1"), IsOk());
  const PendingAct third = Start("three");
  EXPECT_THAT(Reject(third, "dpo"), FailsWith(ErrorCode::kPermissionDenied));
  EXPECT_THAT(Approve(first, "supervisor-2"), FailsWith(ErrorCode::kConflict));
  EXPECT_FALSE(IsDone("one"));
  EXPECT_FALSE(IsDone("two"));
}

TEST_F(ApprovalsTest, ExpiresAfterItsTimeAndIsProposedAnew) {
  const PendingAct act = Start();
  agency_.clock.Advance(Approvals::kDefaultLife - 1us);
  ASSERT_THAT(approvals_->Housekeep(), IsOk());
  EXPECT_EQ(StateOf(act), ApprovalState::kPending);
  agency_.clock.Advance(1us);
  EXPECT_THAT(Approve(act, "supervisor-1"), FailsWith(ErrorCode::kConflict));
  ASSERT_THAT(approvals_->Housekeep(), IsOk());
  EXPECT_EQ(StateOf(act), ApprovalState::kExpired);
  EXPECT_EQ(agency_.CountEvents(audit::kApprovalExpired), 1U);
  ASSERT_THAT(approvals_->Housekeep(), IsOk());
  EXPECT_EQ(agency_.CountEvents(audit::kApprovalExpired), 1U);
  EXPECT_THAT(Propose(Act::kDeploymentStart, "one", "operator-1"), IsOk());
}

TEST_F(ApprovalsTest, TheSameActWaitsOnce) {
  const PendingAct act = Start("one");
  EXPECT_THAT(Propose(Act::kDeploymentStart, "one", "supervisor-1"),
              FailsWith(ErrorCode::kConflict));
  ASSERT_THAT(Reject(act, "operator-1"), IsOk());
  EXPECT_THAT(Propose(Act::kDeploymentStart, "one", "supervisor-1"), IsOk());
}

TEST_F(ApprovalsTest, ProposerWhoseAccessEndedProposesNothing) {
  const PendingAct act = Start();
  ASSERT_THAT(Revoke("operator-1"), IsOk());
  EXPECT_THAT(Approve(act, "supervisor-1"), FailsWith(ErrorCode::kPermissionDenied));
  EXPECT_FALSE(IsDone("one"));
  EXPECT_THAT(Reject(act, "supervisor-1"), IsOk());
}

TEST_F(ApprovalsTest, ActThatCannotBeDoneAnyMoreChangesNothing) {
  const PendingAct act = Start();
  ledger_.fails = true;
  EXPECT_THAT(Approve(act, "supervisor-1"), FailsWith(ErrorCode::kConflict));
  EXPECT_FALSE(IsDone("one"));
  EXPECT_EQ(StateOf(act), ApprovalState::kPending);
  EXPECT_EQ(agency_.CountEvents(audit::kApprovalDecided), 0U);
  EXPECT_THAT(NoticesFor(Role::kOperator), IsEmpty());
  EXPECT_EQ(ledger_.refreshed, 0);
}

TEST_F(ApprovalsTest, OnePersonOfTheApprovingRoleActsInAnEmergency) {
  const PendingAct act = Start("one", "supervisor-1");
  const auto urgent = Urgent(act, "supervisor-1");
  ASSERT_THAT(urgent, IsOk());
  EXPECT_EQ(urgent->state, ApprovalState::kUrgent);
  EXPECT_EQ(urgent->review_by, agency_.clock.Now() + 24h);
  EXPECT_TRUE(IsDone("one"));
  for (const Role role : {Role::kSupervisor, Role::kDpo, Role::kSignatory, Role::kAuditor}) {
    const auto notices = NoticesFor(role);
    ASSERT_FALSE(notices.empty());
    EXPECT_EQ(notices.back().kind, notice::kUrgentAct);
    EXPECT_THAT(notices.back().words, HasSubstr("life at risk"));
  }
}

TEST_F(ApprovalsTest, EmergencyWaivesThePersonNotTheRole) {
  const PendingAct act = Start("one", "operator-1");
  EXPECT_THAT(Urgent(act, "operator-1"), FailsWith(ErrorCode::kPermissionDenied));
  EXPECT_THAT(Urgent(act, "supervisor-1"), FailsWith(ErrorCode::kPermissionDenied));
  EXPECT_FALSE(IsDone("one"));
}

TEST_F(ApprovalsTest, ActThatIsNeverUrgentNeedsTwo) {
  const PendingAct act = Propose(Act::kThresholdLower, "one", "supervisor-1").value();
  EXPECT_THAT(Urgent(act, "supervisor-1"), FailsWith(ErrorCode::kPermissionDenied));
  EXPECT_FALSE(IsDone("one"));
}

TEST_F(ApprovalsTest, ReviewIsByAnotherSupervisor) {
  const PendingAct act = Start("one", "supervisor-1");
  ASSERT_THAT(Urgent(act, "supervisor-1"), IsOk());
  EXPECT_THAT(Review(act, "supervisor-1"), FailsWith(ErrorCode::kPermissionDenied));
  EXPECT_THAT(Review(act, "dpo"), FailsWith(ErrorCode::kPermissionDenied));
  const auto reviewed = Review(act, "supervisor-2");
  ASSERT_THAT(reviewed, IsOk());
  EXPECT_EQ(reviewed->state, ApprovalState::kReviewed);
  EXPECT_EQ(reviewed->review, "upheld: seen");
  EXPECT_THAT(Review(act, "supervisor-2"), FailsWith(ErrorCode::kConflict));
}

TEST_F(ApprovalsTest, OverturnedActIsToldToAllWhoOverseeOrPropose) {
  const PendingAct act = Start("one", "supervisor-1");
  ASSERT_THAT(Urgent(act, "supervisor-1"), IsOk());
  ASSERT_THAT(Review(act, "supervisor-2", DecisionKind::kOverturn), IsOk());
  for (const Role role :
       {Role::kSupervisor, Role::kDpo, Role::kSignatory, Role::kAuditor, Role::kOperator}) {
    EXPECT_THAT(NoticesFor(role).back().words, HasSubstr("overturned: seen"));
  }
}

TEST_F(ApprovalsTest, OnlyWhatOnePersonDidIsReviewed) {
  const PendingAct act = Start();
  EXPECT_THAT(Review(act, "supervisor-2"), FailsWith(ErrorCode::kConflict));
  ASSERT_THAT(Approve(act, "supervisor-1"), IsOk());
  EXPECT_THAT(Review(act, "supervisor-2"), FailsWith(ErrorCode::kConflict));
}

TEST_F(ApprovalsTest, OverdueReviewIsToldOnce) {
  const PendingAct act = Start("one", "supervisor-1");
  ASSERT_THAT(Urgent(act, "supervisor-1"), IsOk());
  const auto overdue = [&] {
    std::size_t count = 0;
    for (const StoredNotice& told : NoticesFor(Role::kDpo)) {
      if (told.kind == notice::kReviewOverdue) ++count;
    }
    return count;
  };
  agency_.clock.Advance(24h - 1us);
  ASSERT_THAT(approvals_->Housekeep(), IsOk());
  EXPECT_EQ(overdue(), 0U);
  agency_.clock.Advance(1us);
  ASSERT_THAT(approvals_->Housekeep(), IsOk());
  ASSERT_THAT(approvals_->Housekeep(), IsOk());
  EXPECT_EQ(overdue(), 1U);
  EXPECT_THAT(Review(act, "supervisor-2"), IsOk());
}

TEST_F(ApprovalsTest, TellsThoseWhoMayApproveAndThoseWhoProposed) {
  const PendingAct act = Start();
  EXPECT_EQ(NoticesFor(Role::kSupervisor).back().kind, notice::kApprovalAsked);
  EXPECT_THAT(NoticesFor(Role::kOperator), IsEmpty());
  ASSERT_THAT(Approve(act, "supervisor-1"), IsOk());
  EXPECT_EQ(NoticesFor(Role::kOperator).back().kind, notice::kApprovalDecided);
}

TEST_F(ApprovalsTest, HoldsOneThousandAndNoMore) {
  constexpr std::size_t kProposers = Approvals::kMaxPending / Approvals::kMaxPendingOfOne;
  for (std::size_t i = 0; i < kProposers; ++i) {
    const std::string proposer = "proposer-" + std::to_string(i);
    ASSERT_THAT(Put(MakePerson(proposer, {Role::kOperator})), IsOk());
    for (std::size_t j = 0; j < Approvals::kMaxPendingOfOne; ++j) {
      Start(std::to_string(i) + "." + std::to_string(j), proposer);
    }
  }
  EXPECT_THAT(Propose(Act::kDeploymentStart, "more", "operator-1"),
              FailsWith(ErrorCode::kExhausted));
  const PendingAct newest = approvals_->List(true, 1)->front();
  ASSERT_THAT(Reject(newest, "supervisor-1"), IsOk());
  EXPECT_THAT(Propose(Act::kDeploymentStart, "more", "operator-1"), IsOk());
}

TEST_F(ApprovalsTest, ListsWhatIsOpenNewestFirst) {
  const PendingAct decided = Start("one");
  ASSERT_THAT(Approve(decided, "supervisor-1"), IsOk());
  const PendingAct pending = Start("two");
  const PendingAct urgent = Start("three", "supervisor-1");
  ASSERT_THAT(Urgent(urgent, "supervisor-1"), IsOk());
  const auto open = approvals_->List(true, 10).value();
  ASSERT_THAT(open, SizeIs(2));
  EXPECT_EQ(open[0].id, urgent.id);
  EXPECT_EQ(open[1].id, pending.id);
  EXPECT_THAT(approvals_->List(false, 10).value(), SizeIs(3));
  EXPECT_THAT(approvals_->List(false, 1).value(), SizeIs(1));
}

TEST_F(ApprovalsTest, HashTellsNothingAboutTheContent) {
  const PendingAct first = Start("one");
  ASSERT_THAT(Reject(first, "operator-1"), IsOk());
  const PendingAct second = Start("one");
  EXPECT_NE(first.sha256, second.sha256);
  EXPECT_EQ(first.unsalted, second.unsalted);
  EXPECT_EQ(WithoutSalt(first.content).value(), Entry("one"));
  EXPECT_EQ(hash::Sha256(AsBytes(first.content)), first.sha256);
}

TEST_F(ApprovalsTest, RefusesContentThatItsHandlerRefuses) {
  const Caller caller = CallerOf("operator-1");
  for (const char* content : {"", "[]", R"({"entry":1})", R"({"entry":"x","salt":"y"})"}) {
    EXPECT_THAT(approvals_->Propose(Act::kDeploymentStart, content, "entry", caller),
                FailsWith(ErrorCode::kInvalidArgument));
  }
  EXPECT_THAT(approvals_->Propose(Act::kDeploymentStart, Entry("x"), "", caller),
              FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_THAT(approvals_->Propose(Act::kDeploymentStart, Entry("x"), std::string(129, 's'), caller),
              FailsWith(ErrorCode::kInvalidArgument));
}

TEST_F(ApprovalsTest, AnswersNotFoundForAnUnknownAct) {
  PendingAct act = Start();
  act.id = "p-abcdefghijklmnopqrstuvwxyz";
  EXPECT_THAT(Approve(act, "supervisor-1"), FailsWith(ErrorCode::kNotFound));
  EXPECT_THAT(approvals_->Get(act.id), FailsWith(ErrorCode::kNotFound));
}

}  // namespace
}  // namespace comity::identity
