// SPDX-License-Identifier: Apache-2.0
#include "services/identity/lone_acts.h"

#include <string>
#include <utility>
#include <vector>

#include "services/audit/events.h"
#include "services/identity/person_acts.h"
#include "tests/unit/services/identity/identity_world.h"

namespace comity::identity {
namespace {

using comity::testing::FailsWith;
using comity::testing::IsOk;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using enum Role;

class LoneActsTest : public IdentityWorld {
 protected:
  Status Withdraw(const std::string& by = "operator-1", const std::string& on = "list lantern") {
    return agency_.journal().Commit(
        [&](store::Transaction& transaction, audit::Recorder& recorder) {
          return lone_acts_->Tell(transaction, recorder,
                                  {Act::kEntryWithdraw, on, "entry w-17 was withdrawn", by});
        });
  }
  void PutSetting(const std::string& value) {
    ASSERT_THAT(agency_.store().Write([&](store::Transaction& transaction) {
      return transaction.settings().Put("lone-acts", value);
    }),
                IsOk());
  }
  std::string LastWords(Role role = kDpo) { return NoticesFor(role).back().words; }
};

TEST_F(LoneActsTest, AreToldAtOnceToThoseWhoOversee) {
  ASSERT_THAT(Withdraw(), IsOk());
  for (const Role role : {kSupervisor, kDpo, kAuditor}) {
    ASSERT_THAT(NoticesFor(role), SizeIs(1));
    EXPECT_EQ(NoticesFor(role)[0].kind, notice::kLoneAct);
    EXPECT_EQ(NoticesFor(role)[0].subject, "list lantern");
    EXPECT_THAT(LastWords(role), HasSubstr("entry w-17 was withdrawn by operator-1 alone"));
  }
  EXPECT_THAT(NoticesFor(kOperator), IsEmpty());
  EXPECT_THAT(NoticesFor(kAdministrator), IsEmpty());
}

// What is no matter of a list or a search is told to whom it concerns, and to nobody else.
TEST_F(LoneActsTest, WithTheAgencysDataAreToldToWhomTheyConcern) {
  const std::vector<std::pair<Act, RoleSet>> told = {
      {Act::kAlertOpen, {kDpo}},
      {Act::kAuditExport, {kDpo, kAuditor}},
      {Act::kRetentionRun, {kDpo, kAuditor, kAdministrator}},
      {Act::kBackup, {kDpo, kAuditor, kAdministrator, kKeyAdministrator}}};
  for (const auto& [act, audience] : told) {
    const std::string what = std::string(Name(act)) + " was done";
    ASSERT_THAT(lone_acts_->Tell({act, "what it is done to", what, "somebody"}), IsOk());
    const std::string why = act == Act::kAlertOpen ? "the reason stands" : "it stands";
    for (const Role role : {kOperator, kAdjudicator, kSupervisor, kReleaseOfficer, kDpo, kSignatory,
                            kAuditor, kAdministrator, kKeyAdministrator}) {
      const auto notices = NoticesFor(role);
      const bool is_told =
          !notices.empty() && notices.back().words.find(what + " by somebody alone; " + why) == 0;
      EXPECT_EQ(is_told, audience.Meets({role})) << what << ": " << RoleSet{role}.Names()[0];
    }
  }
}

TEST_F(LoneActsTest, OfOnePersonOnOneThingAreTwoNoticesHoweverMany) {
  for (int i = 0; i < 1000; ++i) ASSERT_THAT(Withdraw(), IsOk());
  ASSERT_THAT(lone_acts_->Housekeep(), IsOk());
  EXPECT_THAT(NoticesFor(kDpo), SizeIs(1)) << "they are gathered for ten minutes";
  agency_.clock.Advance(LoneActs::kGathered);
  ASSERT_THAT(lone_acts_->Housekeep(), IsOk());
  ASSERT_THAT(NoticesFor(kDpo), SizeIs(2));
  EXPECT_THAT(LastWords(), AllOf(HasSubstr("operator-1 alone did 999 further acts"),
                                 HasSubstr("list lantern"), HasSubstr("withdraw an entry")));
  EXPECT_EQ(agency_.CountEvents(audit::kNoticePosted), 2U);
}

TEST_F(LoneActsTest, AreCountedAcrossARestart) {
  for (int i = 0; i < 3; ++i) ASSERT_THAT(Withdraw(), IsOk());
  Restart();
  agency_.clock.Advance(LoneActs::kGathered);
  ASSERT_THAT(lone_acts_->Housekeep(), IsOk());
  EXPECT_THAT(LastWords(), HasSubstr("2 further acts"));
}

TEST_F(LoneActsTest, OfWhoeverGoesOnAreToldOnceInTenMinutes) {
  for (int round = 0; round < 3; ++round) {
    for (int i = 0; i < 5; ++i) ASSERT_THAT(Withdraw(), IsOk());
    agency_.clock.Advance(LoneActs::kGathered);
    ASSERT_THAT(lone_acts_->Housekeep(), IsOk());
  }
  EXPECT_THAT(NoticesFor(kDpo), SizeIs(4));
  EXPECT_THAT(LastWords(), HasSubstr("5 further acts"));
  agency_.clock.Advance(LoneActs::kGathered);
  ASSERT_THAT(lone_acts_->Housekeep(), IsOk());
  EXPECT_THAT(NoticesFor(kDpo), SizeIs(4)) << "nothing happened";
  ASSERT_THAT(Withdraw(), IsOk());
  EXPECT_THAT(NoticesFor(kDpo), SizeIs(5)) << "told at once again";
}

TEST_F(LoneActsTest, OfAnotherPersonOrOnAnotherThingAreToldAtOnce) {
  ASSERT_THAT(Withdraw("operator-1"), IsOk());
  ASSERT_THAT(Withdraw("supervisor-1"), IsOk());
  ASSERT_THAT(Withdraw("operator-1", "list harbour"), IsOk());
  EXPECT_THAT(NoticesFor(kDpo), SizeIs(3));
}

TEST_F(LoneActsTest, BeyondTheirBoundAreToldSingly) {
  for (std::size_t i = 0; i < LoneActs::kMaxGathered; ++i) {
    ASSERT_THAT(Withdraw("operator-1", "list l" + std::to_string(i)), IsOk());
  }
  const std::size_t before = NoticesFor(kDpo).size();
  ASSERT_THAT(Withdraw(), IsOk());
  ASSERT_THAT(Withdraw(), IsOk());
  EXPECT_THAT(NoticesFor(kDpo), SizeIs(before + 2));
}

TEST_F(LoneActsTest, AreNotKeptFromPeopleByAClockThatIsPutBack) {
  for (int i = 0; i < 3; ++i) ASSERT_THAT(Withdraw(), IsOk());
  agency_.clock.Advance(-std::chrono::hours(5));
  ASSERT_THAT(lone_acts_->Housekeep(), IsOk());
  EXPECT_THAT(LastWords(), HasSubstr("2 further acts"));
}

TEST_F(LoneActsTest, AreToldThoughTheirCountWasMadeUnreadable) {
  ASSERT_THAT(Withdraw(), IsOk());
  for (const char* damaged : {"", "{", "[1]", R"([{"act":"none"}])", R"([{"act":"entry-withdraw",
       "by":"operator-1","on":"list lantern","since":"2026-11-25T08:00:00Z","further":-1}])"}) {
    PutSetting(damaged);
    const std::size_t before = NoticesFor(kDpo).size();
    ASSERT_THAT(Withdraw(), IsOk()) << damaged;
    EXPECT_THAT(NoticesFor(kDpo), SizeIs(before + 1)) << damaged;
  }
}

TEST_F(LoneActsTest, AreNotToldWithoutTheirAct) {
  const Status status = agency_.journal().Commit(
      [&](store::Transaction& transaction, audit::Recorder& recorder) -> Status {
        COMITY_RETURN_IF_ERROR(lone_acts_->Tell(
            transaction, recorder, {Act::kEntryWithdraw, "list lantern", "x", "operator-1"}));
        return Fail(ErrorCode::kConflict, "the act cannot be done");
      });
  EXPECT_THAT(status, FailsWith(ErrorCode::kConflict));
  EXPECT_THAT(NoticesFor(kDpo), IsEmpty());
}

TEST_F(LoneActsTest, EndOfSomebodysAccessIsToldToTheOtherAdministratorsToo) {
  const policy::PersonId by = policy::PersonId::Parse("admin-1").value();
  ASSERT_THAT(RevokeNow(*people_, agency_.journal(), *lone_acts_,
                        {policy::PersonId::Parse("operator-1").value(), "left", by}),
              IsOk());
  for (const Role role : {kSupervisor, kDpo, kAuditor, kAdministrator}) {
    ASSERT_THAT(NoticesFor(role), SizeIs(1));
    EXPECT_THAT(LastWords(role), HasSubstr("the access of operator-1 was ended by admin-1 alone"));
  }
}

}  // namespace
}  // namespace comity::identity
