// SPDX-License-Identifier: Apache-2.0
#include "services/oversight/bars.h"

#include <map>
#include <random>
#include <set>

#include "crypto/base/random_id.h"
#include "services/audit/events.h"
#include "tests/unit/services/oversight/bars_world.h"

namespace comity::oversight {
namespace {

namespace fs = std::filesystem;
using identity::PeerState;
using identity::Person;
using identity::Role;
using ::testing::ElementsAre;
using testing::FailsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::IsOk;
using ::testing::Not;
using ::testing::SizeIs;

class BarsTest : public BarsWorld {};

TEST_F(BarsTest, ListOncePersonAndPartnerWhoEndedAndNobodyElse) {
  CopyWithEverybody();
  ASSERT_THAT(bars_->List(), IsOk());
  EXPECT_THAT(Listed(), IsEmpty());
  Revoke("operator-1");
  Remove();
  ASSERT_THAT(bars_->List(), IsOk());
  const auto listed = Listed();
  ASSERT_THAT(listed, SizeIs(2));
  EXPECT_THAT(listed[0], ::testing::MatchesRegex("person/[0-9a-f]{64}"));
  EXPECT_THAT(listed[1], ::testing::MatchesRegex("partner/[0-9a-f]{64}"));
  ASSERT_THAT(bars_->List(), IsOk());
  MustOpenAll();  // a further start knows what is listed
  ASSERT_THAT(bars_->List(), IsOk());
  EXPECT_THAT(Listed(), SizeIs(2));
}

TEST_F(BarsTest, NameNobodyInTheClear) {
  CopyWithEverybody();
  Revoke("operator-1");
  Remove();
  ASSERT_THAT(bars_->List(), IsOk());
  const std::string text = TextOf(backup::LedgerFileIn(Copy()));
  EXPECT_THAT(text, HasSubstr("\"barred\""));
  EXPECT_THAT(text, Not(HasSubstr("operator-1")));
  EXPECT_THAT(text, Not(HasSubstr("eastvale-council")));
}

TEST_F(BarsTest, EndAgainWhoCameBackWithAnOldDatabase) {
  const fs::path copy = CopyWithEverybody();
  Revoke("operator-1");
  Remove();
  ASSERT_THAT(bars_->List(), IsOk());
  Restore(copy);
  ASSERT_TRUE(IsActive("operator-1"));
  ASSERT_EQ(StateOfPartner(), PeerState::kActive);
  const Bars::Upheld upheld = MustUphold();
  EXPECT_EQ(upheld.people, 1U);
  EXPECT_EQ(upheld.partners, 1U);
  EXPECT_FALSE(IsActive("operator-1"));
  EXPECT_EQ(StateOfPartner(), PeerState::kRemoved);
  EXPECT_EQ(peers_->Find(kPartner)->reason, "barred: ended after the backup");
  EXPECT_TRUE(IsActive("admin-1"));
  EXPECT_TRUE(IsActive("admin-2"));
  EXPECT_EQ(CountEvents(audit::kPersonRevoked), 1U);
  EXPECT_EQ(CountEvents(audit::kPeerRemoved), 1U);
  const auto notices = NoticesFor(Role::kAuditor);
  ASSERT_THAT(notices, SizeIs(1));
  EXPECT_EQ(notices[0].kind, identity::notice::kRestored);
  EXPECT_THAT(notices[0].words, Not(HasSubstr("[[administrator]]")));
}

TEST_F(BarsTest, FindNothingTheSecondTimeNorAfterAFurtherStart) {
  const fs::path copy = CopyWithEverybody();
  Revoke("operator-1");
  Remove();
  ASSERT_THAT(bars_->List(), IsOk());
  Restore(copy);
  MustUphold();
  const std::uint64_t size = log_->Flush()->size;
  EXPECT_EQ(MustUphold().people, 0U);
  EXPECT_EQ(log_->Flush()->size, size);
  MustOpenAll();
  const Bars::Upheld again = MustUphold();
  EXPECT_EQ(again.people + again.partners, 0U);
  EXPECT_FALSE(IsActive("operator-1"));
  ASSERT_THAT(bars_->List(), IsOk());
  EXPECT_THAT(Listed(), SizeIs(2));
}

// A crash in the unit of work leaves the old database; the next start does the whole again.
TEST_F(BarsTest, LeaveNobodyHalfwayWhenTheUnitOfWorkFails) {
  const fs::path copy = CopyWithEverybody();
  Revoke("operator-1");
  Remove();
  ASSERT_THAT(bars_->List(), IsOk());
  Restore(copy);
  // The partner is gone in the database and memory has not followed: its removal must fail.
  ASSERT_THAT(log_->Commit([&](auto& tx, auto& recorder) {
    return peers_->Remove(tx, recorder, kPartner, {kBy, "meanwhile"});
  }),
              IsOk());
  EXPECT_THAT(bars_->Uphold(), FailsWith(ErrorCode::kConflict));
  EXPECT_EQ(CountEvents(audit::kPersonRevoked), 0U);
  ASSERT_THAT(people_->Refresh(), IsOk());
  EXPECT_TRUE(IsActive("operator-1"));
  ASSERT_THAT(peers_->Refresh(), IsOk());
  EXPECT_EQ(MustUphold().people, 1U);
}

// The key that a person works with when access ends need not be the one in the backup.
TEST_F(BarsTest, EndAlsoWhoChangedKeysAfterTheBackup) {
  const fs::path copy = CopyWithEverybody();
  Person changed = MakePerson("operator-1", {Role::kOperator}, " renewed");
  changed.added_at = Find("operator-1").added_at;
  Put(changed);
  Revoke("operator-1");
  identity::PeerTerms rekeyed = identity::SampleTerms("eastvale-council");
  clock_.Advance(std::chrono::hours(1));
  ChangePeers(
      [&](auto& tx, auto& recorder) { return peers_->Rekey(tx, recorder, rekeyed, {}, kBy); });
  Remove();
  ASSERT_THAT(bars_->List(), IsOk());
  Restore(copy);
  MustUphold();
  EXPECT_FALSE(IsActive("operator-1"));
  EXPECT_EQ(StateOfPartner(), PeerState::kRemoved);
}

TEST_F(BarsTest, EndASuspendedPartnerTooAndDropWhatWaitsForIt) {
  Enrol(partner_);
  ChangePeers([&](auto& tx, auto& recorder) -> Status {
    COMITY_RETURN_IF_ERROR(peers_->Suspend(tx, recorder, kPartner, {kBy, "looks odd"}));
    store::OutboxRecord message;
    message.peer = kPartner;
    message.id = RandomId(random_);
    message.kind = "notice";
    message.content = "{}";
    message.created_at = clock_.Now();
    COMITY_RETURN_IF_ERROR(tx.outbox().Add(message));
    return {};
  });
  const fs::path copy = CopyNow();
  Remove();
  ASSERT_THAT(bars_->List(), IsOk());
  Restore(copy);
  ASSERT_EQ(StateOfPartner(), PeerState::kSuspended);
  ASSERT_EQ(WaitingForPartner(), 1U);
  MustUphold();
  EXPECT_EQ(StateOfPartner(), PeerState::kRemoved);
  EXPECT_EQ(WaitingForPartner(), 0U);
}

TEST_F(BarsTest, LeaveAloneWhoWasEnrolledAnew) {
  CopyWithEverybody();
  Revoke("operator-1");
  Remove();
  ASSERT_THAT(bars_->List(), IsOk());
  clock_.Advance(std::chrono::hours(1));
  Put(MakePerson("operator-1", {Role::kOperator}, " new"));
  Enrol(identity::SampleTerms("eastvale-council"));
  const fs::path copy = CopyNow();
  MustOpenAll();
  EXPECT_EQ(MustUphold().people, 0U);
  Restore(copy);
  const Bars::Upheld upheld = MustUphold();
  EXPECT_EQ(upheld.people + upheld.partners, 0U);
  EXPECT_TRUE(IsActive("operator-1"));
  EXPECT_EQ(StateOfPartner(), PeerState::kActive);
}

TEST_F(BarsTest, LetNobodyInThroughTheConfigurationWhoWasEverRevoked) {
  const fs::path copy = CopyNow();  // of before the person came
  Put(MakePerson("carol", {Role::kAdministrator}));
  Revoke("carol");
  ASSERT_THAT(bars_->List(), IsOk());
  Restore(copy);
  std::vector<identity::Person> named = first_;
  named.push_back(MakePerson("carol", {Role::kAdministrator}));
  named.push_back(MakePerson("dave", {Role::kAdministrator}));
  const auto first = Bars::WithoutBarred(*ledger_, named);
  ASSERT_THAT(first, IsOk());
  std::vector<std::string> ids;
  for (const identity::Person& person : *first) ids.push_back(person.id.text());
  EXPECT_THAT(ids, ElementsAre("admin-1", "admin-2", "dave"));
}

// Two people carry out again what they had carried out before the loss, and revoked since.
TEST_F(BarsTest, LeaveAloneWhomAnActThatWaitedInTheBackupLetsIn) {
  const identity::Person mallory = MakePerson("mallory", {Role::kOperator});
  const fs::path copy = CopyNow();
  Put(mallory);
  Revoke("mallory");
  ASSERT_THAT(bars_->List(), IsOk());
  Restore(copy);
  MustUphold();
  clock_.Advance(std::chrono::seconds(1));
  Put(mallory);
  MustOpenAll();
  EXPECT_EQ(MustUphold().people, 0U);
  EXPECT_TRUE(IsActive("mallory"));
}

TEST_F(BarsTest, ListAFurtherEnrolmentThatEndsToo) {
  CopyWithEverybody();
  Remove();
  ASSERT_THAT(bars_->List(), IsOk());
  Enrol(identity::SampleTerms("eastvale-council"));  // the clock stands
  const fs::path copy = CopyNow();
  Remove();
  ASSERT_THAT(bars_->List(), IsOk());
  const auto listed = Listed();
  EXPECT_THAT(std::set<std::string>(listed.begin(), listed.end()), SizeIs(2));
  Restore(copy);
  EXPECT_EQ(MustUphold().partners, 1U);
}

TEST_F(BarsTest, FollowARevocationThatTheLedgerCouldNotListAtOnce) {
  const fs::path copy = CopyWithEverybody();
  fs::remove(backup::LedgerFileIn(Copy()));
  Revoke("operator-1");
  Remove();
  EXPECT_THAT(bars_->List(), FailsWith(ErrorCode::kUnavailable));
  EXPECT_FALSE(IsActive("operator-1"));
  EXPECT_EQ(StateOfPartner(), PeerState::kRemoved);
  MustOpenAll();  // the copy is made again from the other one
  ASSERT_THAT(bars_->List(), IsOk());
  const auto listed = Listed();
  EXPECT_THAT(std::set<std::string>(listed.begin(), listed.end()), SizeIs(2));
  EXPECT_EQ(TextOf(backup::LedgerFileIn(Copy())),
            TextOf(backup::LedgerFileIn(OwnLedgerFolder(Data()))));
  Restore(copy);
  MustUphold();
  EXPECT_FALSE(IsActive("operator-1"));
}

TEST_F(BarsTest, TellOnceOfWhoIsUnlistedForAMinute) {
  CopyWithEverybody();
  fs::remove(backup::LedgerFileIn(Copy()));
  Revoke("operator-1");
  EXPECT_THAT(bars_->List(), FailsWith(ErrorCode::kUnavailable));
  EXPECT_THAT(NoticesFor(Role::kAdministrator), IsEmpty());
  clock_.Advance(std::chrono::seconds(61));
  EXPECT_THAT(bars_->List(), FailsWith(ErrorCode::kUnavailable));
  EXPECT_THAT(bars_->List(), FailsWith(ErrorCode::kUnavailable));
  const auto notices = NoticesFor(Role::kAdministrator);
  ASSERT_THAT(notices, SizeIs(1));
  EXPECT_EQ(notices[0].kind, identity::notice::kBarUnlisted);
  EXPECT_THAT(log_text_.str(), HasSubstr("bars-not-listed"));
}

// In the lost database others had taken over; here nobody is left.
TEST_F(BarsTest, EndEvenTheLastAdministratorAndSayWhatToDo) {
  const fs::path copy = CopyWithEverybody();
  for (const char* id : {"admin-3", "admin-4"}) Put(MakePerson(id, {Role::kAdministrator}));
  Revoke("admin-1");
  Revoke("admin-2");
  ASSERT_THAT(bars_->List(), IsOk());
  Restore(copy);
  EXPECT_EQ(MustUphold().people, 2U);
  EXPECT_FALSE(IsActive("admin-1"));
  EXPECT_FALSE(IsActive("admin-2"));
  EXPECT_THAT(log_text_.str(), HasSubstr("administrators-few"));
  const auto notices = NoticesFor(Role::kAuditor);
  ASSERT_THAT(notices, SizeIs(1));
  EXPECT_THAT(notices[0].words, HasSubstr("Administrators that are left: 0. Name present ones "
                                          "under new ids as [[administrator]]"));
  // Which the operator does: the two are added at the next start, and nobody else comes back.
  first_ = {MakePerson("admin-3", {Role::kAdministrator}),
            MakePerson("admin-4", {Role::kAdministrator})};
  MustOpenAll();
  EXPECT_EQ(MustUphold().people, 0U);
  EXPECT_TRUE(IsActive("admin-3"));
  EXPECT_TRUE(IsActive("admin-4"));
  EXPECT_FALSE(IsActive("admin-1"));
}

TEST_F(BarsTest, AreRefusedWithTheLedgerWhenOneWasChanged) {
  CopyWithEverybody();
  Revoke("operator-1");
  ASSERT_THAT(bars_->List(), IsOk());
  CloseRegisters();
  Close();
  for (const fs::path& folder : {Copy(), OwnLedgerFolder(Data())}) {
    std::string text = TextOf(backup::LedgerFileIn(folder));
    const std::size_t at = text.find("person/") + 10;
    text[at] = text[at] == '0' ? '1' : '0';
    std::ofstream(backup::LedgerFileIn(folder), std::ios::trunc | std::ios::binary) << text;
  }
  const Status opened = Open();
  ASSERT_THAT(opened, FailsWith(ErrorCode::kCorrupt));
  EXPECT_THAT(opened.error().detail, HasSubstr("changed since"));
}

// Whatever happened before and after the backup: whose enrolment ended stays out, whose did not is
// in.
TEST_F(BarsTest, BringBackExactlyWhoseEnrolmentNeverEnded) {
  std::mt19937_64 random(20261126);
  for (int round = 0; round < 4; ++round) {
    std::map<std::string, int> at_copy;   // enrolment in force when the copy was made, by id
    std::map<std::string, int> in_force;  // its number; absent: nobody, or revoked
    std::map<std::string, std::set<int>> ended;
    fs::path copy;
    const std::size_t copy_at = random() % 30;
    for (std::size_t step = 0; step < 30; ++step) {
      if (step == copy_at) {
        copy = CopyNow();
        at_copy = in_force;
      }
      clock_.Advance(std::chrono::seconds(1));
      const std::string id = "p-" + std::to_string(round) + "-" + std::to_string(random() % 6);
      if (in_force.contains(id)) {
        Revoke(id);
        ended[id].insert(in_force[id]);
        in_force.erase(id);
      } else {
        in_force[id] = static_cast<int>(step);
        Put(MakePerson(id, {Role::kOperator}, std::to_string(step)));
      }
      ASSERT_THAT(bars_->List(), IsOk());
    }
    Restore(copy);
    MustUphold();
    for (const auto& [id, enrolment] : at_copy) {
      EXPECT_EQ(IsActive(id), !ended[id].contains(enrolment)) << "round " << round << ": " << id;
    }
  }
}

}  // namespace
}  // namespace comity::oversight
