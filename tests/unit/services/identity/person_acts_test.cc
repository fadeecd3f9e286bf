// SPDX-License-Identifier: Apache-2.0
#include "services/identity/person_acts.h"

#include "services/audit/events.h"
#include "tests/unit/services/identity/identity_world.h"

namespace comity::identity {
namespace {

using comity::testing::FailsWith;
using comity::testing::IsOk;
using ::testing::HasSubstr;

class PersonActsTest : public IdentityWorld {
 protected:
  PersonActsTest() {
    approvals_->Handle(Act::kPersonAdd, add_);
    approvals_->Handle(Act::kPersonRole, role_);
    approvals_->Handle(Act::kPersonRevokePrivileged, revocation_);
  }
  Result<PendingAct> Ask(Act act, const std::string& content, const std::string& person) {
    return approvals_->Propose(act, content, "person", CallerOf(person));
  }
  Result<PendingAct> AskToAdd(const Person& person, policy::Instant made_of = {}) {
    return Ask(Act::kPersonAdd, EncodePersonProposal(person, made_of), "admin-1");
  }
  Result<PendingAct> AskToChange(const Person& person) {
    const auto known = people_->Find(person.id);
    return Ask(Act::kPersonRole,
               EncodePersonProposal(person, known ? known->changed_at : policy::Instant{}),
               "admin-1");
  }
  Person Now(const std::string& id) const {
    return people_->Find(policy::PersonId::Parse(id).value()).value();
  }

  PersonAdd add_{*people_};
  PersonRole role_{*people_};
  PersonRevocation revocation_{*people_};
};

TEST_F(PersonActsTest, TwoAdministratorsAddAPerson) {
  const auto act = AskToAdd(MakePerson("operator-2", {Role::kOperator}));
  ASSERT_THAT(act, IsOk());
  EXPECT_THAT(act->words, HasSubstr("Person: operator-2\nPost: Post of operator-2\n"
                                    "Roles: operator\n"));
  EXPECT_THAT(people_->Find(policy::PersonId::Parse("operator-2").value()),
              FailsWith(ErrorCode::kNotFound));
  ASSERT_THAT(Approve(*act, "admin-2"), IsOk());
  EXPECT_TRUE(Now("operator-2").active);
  EXPECT_EQ(Now("operator-2").roles, RoleSet{Role::kOperator});
}

TEST_F(PersonActsTest, NobodyElseAddsAPerson) {
  const std::string content = EncodePersonProposal(MakePerson("x", {Role::kOperator}), {});
  EXPECT_THAT(Ask(Act::kPersonAdd, content, "supervisor-1"),
              FailsWith(ErrorCode::kPermissionDenied));
  const auto act = AskToAdd(MakePerson("operator-2", {Role::kOperator}));
  EXPECT_THAT(Approve(*act, "keys-1"), FailsWith(ErrorCode::kPermissionDenied));
  EXPECT_THAT(Approve(*act, "admin-1"), FailsWith(ErrorCode::kPermissionDenied));
}

TEST_F(PersonActsTest, ActivePersonIsNotAddedAgain) {
  EXPECT_THAT(AskToAdd(MakePerson("operator-1", {Role::kOperator})),
              FailsWith(ErrorCode::kConflict));
}

TEST_F(PersonActsTest, PersonWhoWasRevokedComesBackByTwoPeopleAndIsShownAsSuch) {
  const policy::Instant first_added = Now("operator-1").added_at;
  ASSERT_THAT(Revoke("operator-1"), IsOk());
  keys_.erase("operator-1");
  const auto act =
      AskToAdd(MakePerson("operator-1", {Role::kOperator}), Now("operator-1").changed_at);
  ASSERT_THAT(act, IsOk());
  EXPECT_THAT(act->words, HasSubstr("whose access ended"));
  EXPECT_THAT(act->words, HasSubstr("(now: ed25519:"));
  EXPECT_FALSE(Now("operator-1").active);
  ASSERT_THAT(Approve(*act, "admin-2"), IsOk());
  EXPECT_TRUE(Now("operator-1").active);
  EXPECT_GT(Now("operator-1").added_at, first_added);  // though the clock stands
}

TEST_F(PersonActsTest, KeyOfAnotherPersonIsRefusedWhenItIsProposed) {
  Person person = MakePerson("operator-2", {Role::kOperator});
  person.signing_key = KeyOf("dpo").public_key();
  EXPECT_THAT(AskToAdd(person), FailsWith(ErrorCode::kConflict));
}

TEST_F(PersonActsTest, ChangeShowsWhatItIsMadeOf) {
  Person person = Now("operator-1");
  person.roles = {Role::kOperator, Role::kAdjudicator};
  const auto act = AskToChange(person);
  ASSERT_THAT(act, IsOk());
  EXPECT_THAT(act->words, HasSubstr("Roles: operator, adjudicator (now: operator)\n"));
  EXPECT_THAT(act->words, HasSubstr("Post: Post of operator-1\n"));
  ASSERT_THAT(Approve(*act, "admin-2"), IsOk());
  EXPECT_EQ(Now("operator-1").roles, person.roles);
}

TEST_F(PersonActsTest, TwoChangesOfOnePersonDoNotUndoEachOther) {
  Person person = Now("operator-1");
  person.roles = {Role::kAdjudicator};
  const auto first = AskToChange(person);
  person.roles = {Role::kReleaseOfficer};
  const auto second = AskToChange(person);
  ASSERT_THAT(Approve(*first, "admin-2"), IsOk());
  EXPECT_THAT(Approve(*second, "admin-2"), FailsWith(ErrorCode::kConflict));
  EXPECT_EQ(Now("operator-1").roles, RoleSet{Role::kAdjudicator});
}

TEST_F(PersonActsTest, ChangeOfWhoIsGoneOrOfNothingIsRefused) {
  EXPECT_THAT(AskToChange(Now("operator-1")), FailsWith(ErrorCode::kConflict));
  ASSERT_THAT(Revoke("operator-1"), IsOk());
  Person person = Now("operator-1");
  person.roles = {Role::kAdjudicator};
  EXPECT_THAT(AskToChange(person), FailsWith(ErrorCode::kConflict));
  EXPECT_THAT(AskToChange(MakePerson("nobody", {Role::kOperator})),
              FailsWith(ErrorCode::kNotFound));
}

TEST_F(PersonActsTest, NobodyApprovesAChangeOfTheirOwnAccess) {
  Person person = Now("admin-2");
  person.roles = {Role::kAdministrator, Role::kSignatory};
  const auto act = AskToChange(person);
  ASSERT_THAT(act, IsOk());
  EXPECT_THAT(Approve(*act, "admin-2"), FailsWith(ErrorCode::kPermissionDenied));
  EXPECT_EQ(Now("admin-2").roles, RoleSet{Role::kAdministrator});
}

TEST_F(PersonActsTest, OneAdministratorRevokesWhoHoldsNoPrivilegedRole) {
  const policy::PersonId by = policy::PersonId::Parse("admin-1").value();
  EXPECT_THAT(
      RevokeNow(*people_, agency_.journal(), *lone_acts_, {Now("operator-1").id, "left", by}),
      IsOk());
  EXPECT_FALSE(Now("operator-1").active);
  EXPECT_THAT(
      RevokeNow(*people_, agency_.journal(), *lone_acts_, {Now("operator-1").id, "left", by}),
      FailsWith(ErrorCode::kConflict));
  EXPECT_THAT(RevokeNow(*people_, agency_.journal(), *lone_acts_, {Now("supervisor-1").id, "", by}),
              FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_THAT(RevokeNow(*people_, agency_.journal(), *lone_acts_, {Now("dpo").id, "left", by}),
              FailsWith(ErrorCode::kConflict));
  EXPECT_TRUE(Now("dpo").active);
}

TEST_F(PersonActsTest, TwoPeopleRevokeWhoHoldsAPrivilegedRole) {
  const auto act = Ask(Act::kPersonRevokePrivileged,
                       EncodeRevocation(Now("dpo").id, "post abolished"), "admin-1");
  ASSERT_THAT(act, IsOk());
  EXPECT_THAT(act->words, HasSubstr("Reason: post abolished"));
  ASSERT_THAT(Approve(*act, "keys-1"), IsOk());
  EXPECT_FALSE(Now("dpo").active);
}

TEST_F(PersonActsTest, TheOneWhoIsRevokedDoesNotApproveIt) {
  const auto act =
      Ask(Act::kPersonRevokePrivileged, EncodeRevocation(Now("admin-2").id, "leaves"), "admin-1");
  EXPECT_THAT(Approve(*act, "admin-2"), FailsWith(ErrorCode::kPermissionDenied));
  ASSERT_THAT(Approve(*act, "keys-1"), IsOk());
  EXPECT_FALSE(Now("admin-2").active);
}

TEST_F(PersonActsTest, LastAdministratorStaysAlsoByTwoPeople) {
  ASSERT_THAT(Revoke("admin-2"), IsOk());
  const auto act =
      Ask(Act::kPersonRevokePrivileged, EncodeRevocation(Now("admin-1").id, "leaves"), "admin-1");
  ASSERT_THAT(act, IsOk());
  EXPECT_THAT(Approve(*act, "keys-1"), FailsWith(ErrorCode::kConflict));
  EXPECT_TRUE(Now("admin-1").active);
}

}  // namespace
}  // namespace comity::identity
