// SPDX-License-Identifier: Apache-2.0
#include "services/oversight/certificate_revocations.h"

#include <gmock/gmock.h>

#include <atomic>
#include <chrono>
#include <future>
#include <thread>

#include "crypto/hash/sha256.h"
#include "services/audit/events.h"
#include "services/oversight/certificate_reinstate.h"
#include "tests/unit/services/oversight/revocations_world.h"

namespace comity::oversight {
namespace {

using identity::Role;
using testing::FailsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::IsOk;
using ::testing::SizeIs;

class CertificateRevocationsTest : public RevocationsWorld {};

TEST_F(CertificateRevocationsTest, StandOverARestartUntilTheyAreLifted) {
  const std::string id = MustRevoke("stolen");
  MustOpenAll();
  ASSERT_EQ(Standing(), std::vector{id});
  const auto one = revocations_->Get(id);
  ASSERT_THAT(one, IsOk());
  EXPECT_EQ(one->sha256, hash::Sha256(AsBytes("stolen")));
  EXPECT_EQ(one->set_by, "dpo");
  EXPECT_EQ(one->reason, "its laptop was stolen");
  ASSERT_THAT(Reinstate(id), IsOk());
  EXPECT_THAT(Standing(), IsEmpty());
  EXPECT_THAT(Reinstate(id), FailsWith(ErrorCode::kConflict));
  EXPECT_THAT(Reinstate("rev-none"), FailsWith(ErrorCode::kNotFound));
  MustOpenAll();
  EXPECT_THAT(Standing(), IsEmpty());
  EXPECT_THAT(revocations_->List(true), SizeIs(1));
}

TEST_F(CertificateRevocationsTest, TellWhoeverListensAtOnceAndEverybodyWhoOversees) {
  std::vector<std::size_t> seen;
  revocations_->OnChange(
      [&](const RevocationTable& table) { seen.push_back(table.revocations.size()); });
  MustRevoke("stolen");
  EXPECT_EQ(seen, (std::vector<std::size_t>{0, 1}));
  for (const Role role : {Role::kSupervisor, Role::kDpo, Role::kSignatory, Role::kAuditor,
                          Role::kAdministrator, Role::kKeyAdministrator}) {
    const auto notices = NoticesFor(role);
    ASSERT_THAT(notices, SizeIs(1));
    EXPECT_EQ(notices[0].kind, identity::notice::kCertificateRevoked);
    EXPECT_THAT(notices[0].words, HasSubstr("its laptop was stolen"));
  }
}

// An answer under way takes long: the next key is barred all the same, and nobody reads old tables.
TEST_F(CertificateRevocationsTest, AreInEffectWhileAnotherOneWaitsForAnswersUnderWay) {
  std::promise<void> waits;
  std::promise<void> answered;
  const std::shared_future<void> answer = answered.get_future().share();
  std::atomic<std::size_t> standing = 0;
  std::atomic<int> settled = 0;
  revocations_->OnChange([&](const RevocationTable& table) { standing = table.revocations.size(); },
                         [&] {
                           if (standing == 1) {  // of the first one alone
                             waits.set_value();
                             answer.wait();
                           }
                           ++settled;
                         });
  const int before = settled;
  std::jthread first([&] { MustRevoke("first"); });
  waits.get_future().wait();
  std::promise<void> second_done;
  std::jthread second([&] {
    MustRevoke("second");
    second_done.set_value();
  });
  EXPECT_EQ(second_done.get_future().wait_for(std::chrono::seconds(20)), std::future_status::ready);
  EXPECT_EQ(standing, 2U);
  EXPECT_EQ(settled, before + 1) << "the first one is not over yet";
  answered.set_value();
  first.join();
  EXPECT_EQ(settled, before + 2);
}

TEST_F(CertificateRevocationsTest, RefuseWhatStandsAlreadyAndWhatIsOutOfBounds) {
  const std::string id = MustRevoke("stolen");
  const auto twice = revocations_->Revoke(Order("stolen"), kDpo);
  ASSERT_THAT(twice, FailsWith(ErrorCode::kConflict));
  EXPECT_THAT(twice.error().detail, HasSubstr(id));
  // The certificate of the same digest is another thing.
  EXPECT_THAT(revocations_->Revoke(Order("stolen", RevocationScope::kCertificate), kDpo), IsOk());
  RevocationOrder order = Order("other");
  order.reason = "";
  EXPECT_THAT(revocations_->Revoke(order, kDpo), FailsWith(ErrorCode::kInvalidArgument));
  order.reason = std::string(1001, 'x');
  EXPECT_THAT(revocations_->Revoke(order, kDpo), FailsWith(ErrorCode::kInvalidArgument));
  order.reason = "two\nlines";
  EXPECT_THAT(revocations_->Revoke(order, kDpo), FailsWith(ErrorCode::kInvalidArgument));
  order.reason = "good";
  order.subject = std::string(301, 'x');
  EXPECT_THAT(revocations_->Revoke(order, kDpo), FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_THAT(Standing(), SizeIs(2));
}

TEST_F(CertificateRevocationsTest, AreBackWhenTheirRowWasRemoved) {
  const std::string first = MustRevoke("stolen");
  const std::string lifted = MustRevoke("found again");
  ASSERT_THAT(Reinstate(lifted), IsOk());
  revocations_.reset();
  PutStored(*SealRevocationTable({}, own_, kek_));  // as before the first of them
  MustOpenAll();
  ASSERT_EQ(Standing(), std::vector{first});
  EXPECT_EQ(revocations_->Get(first)->set_by, "erasure-ledger");
  EXPECT_EQ(revocations_->Get(first)->sha256, hash::Sha256(AsBytes("stolen")));
  MustOpenAll();  // and only once
  EXPECT_EQ(Standing(), std::vector{first});
}

TEST_F(CertificateRevocationsTest, OutliveADatabaseThatWasPutBack) {
  const auto copy = CopyNow();
  const std::string id = MustRevoke("stolen");
  revocations_.reset();
  Restore(copy);
  EXPECT_EQ(Stored(), "");
  ASSERT_THAT(OpenRevocations(), IsOk());
  EXPECT_EQ(Standing(), std::vector{id});
}

TEST_F(CertificateRevocationsTest, DoNotOpenOnATableThatWasChanged) {
  MustRevoke("stolen");
  const std::string good = Stored();
  revocations_.reset();
  for (const std::string& bad :
       {std::string(), std::string("\n"), good.substr(0, good.size() - 1), "0" + good.substr(1),
        good.substr(0, good.find('\n') + 1), good + " "}) {
    if (bad == good) continue;
    PutStored(bad);
    EXPECT_THAT(OpenRevocations(), FailsWith(ErrorCode::kCorrupt)) << bad;
  }
  std::string altered = good;
  altered.replace(altered.find("laptop"), 6, "tablet");
  PutStored(altered);
  EXPECT_THAT(OpenRevocations(), FailsWith(ErrorCode::kCorrupt));
  PutStored(good);
  EXPECT_THAT(OpenRevocations(), IsOk());
}

// Somebody writes to the database of the running gateway: nothing of it takes effect, nobody is
// kept from barring the next key, and those who oversee learn of it.
TEST_F(CertificateRevocationsTest, GoOnFromWhatWasInForceWhenTheTableIsChanged) {
  const std::string first = MustRevoke("first");
  const std::string older = Stored();
  std::vector<std::string> expected = {MustRevoke("second"), first};
  std::string altered = Stored();
  altered.replace(altered.find("laptop"), 6, "tablet");
  std::size_t found = 0;
  for (const std::string& bad : {older, altered, std::string("no table"), std::string()}) {
    PutStored(bad);
    const auto next = revocations_->Revoke(Order("after " + bad), kDpo);
    ASSERT_THAT(next, IsOk()) << bad;
    expected.insert(expected.begin(), next->id);
    EXPECT_EQ(Standing(), expected) << bad;
    EXPECT_EQ(CountEvents(audit::kTamperFound), ++found) << bad;
    EXPECT_THAT(log_text_.str(), HasSubstr("tamper-found"));
    const auto told = NoticesFor(Role::kAuditor);
    EXPECT_EQ(
        std::ranges::count(told, identity::notice::kTamperFound, &identity::StoredNotice::kind),
        static_cast<std::ptrdiff_t>(found));
  }
  // Two people lift what they mean, and nothing else.
  PutStored("no table");
  ASSERT_THAT(Reinstate(first), IsOk());
  expected.pop_back();
  EXPECT_EQ(Standing(), expected);
  EXPECT_EQ(CountEvents(audit::kTamperFound), ++found);
  // And all of it is durable.
  MustOpenAll();
  EXPECT_EQ(Standing(), expected);
  EXPECT_EQ(CountEvents(audit::kTamperFound), found);
}

TEST_F(CertificateRevocationsTest, AreBackInTheDatabaseWithinTenSecondsOfAChange) {
  const std::string id = MustRevoke("stolen");
  const std::string good = Stored();
  EXPECT_THAT(revocations_->Housekeep(), IsOk());
  EXPECT_EQ(Stored(), good) << "nothing is written without need";
  PutStored("");
  EXPECT_THAT(revocations_->Housekeep(), IsOk());
  EXPECT_EQ(CountEvents(audit::kTamperFound), 1U);
  EXPECT_THAT(revocations_->Housekeep(), IsOk());
  EXPECT_EQ(CountEvents(audit::kTamperFound), 1U);
  MustOpenAll();
  EXPECT_EQ(Standing(), std::vector{id});
  EXPECT_EQ(revocations_->Get(id)->reason, "its laptop was stolen");
}

TEST_F(CertificateRevocationsTest, KeepAThousandAndDropTheOldestThatWasLifted) {
  RevocationTable table;
  table.version = 1;
  for (int i = 0; i < 1000; ++i) {
    CertificateRevocation one;
    one.id = "rev-" + std::to_string(i);
    one.sha256 = hash::Sha256(AsBytes(one.id));
    one.set_by = "person-" + std::to_string(i / 100);
    one.reason = "test";
    if (i == 3 || i == 7) {
      one.lifted_by = "siro";
      one.lift_reason = "test";
    }
    table.revocations.push_back(one);
  }
  revocations_.reset();
  PutStored(*SealRevocationTable(table, own_, kek_));
  ASSERT_THAT(OpenRevocations(), IsOk());
  MustRevoke("one more");
  EXPECT_THAT(revocations_->Get("rev-3"), FailsWith(ErrorCode::kNotFound));
  EXPECT_THAT(revocations_->Get("rev-7"), IsOk());
  MustRevoke("and one more");
  const auto over = revocations_->Revoke(Order("too many"), kDpo);
  EXPECT_THAT(over, FailsWith(ErrorCode::kExhausted));
}

// Whoever is at hand bars a stolen key, whose ever it is.
TEST_F(CertificateRevocationsTest, OnePersonBarsAnyOneKeyAtOnce) {
  PutOffice();
  for (const char* owner : {"siro", "dpo", "supervisor", "operator", "admin-1", "admin-2"}) {
    for (const char* by : {"siro", "dpo", "supervisor"}) {
      ASSERT_THAT(RevokeKeyOf(owner, by), IsOk()) << owner << " by " << by;
      ASSERT_THAT(Reinstate(Standing().front()), IsOk());
    }
  }
}

TEST_F(CertificateRevocationsTest, OnePersonDoesNotLockTheOthersOut) {
  PutOffice();
  ASSERT_THAT(RevokeKeyOf("siro", "dpo"), IsOk());
  // Two administrators are left, who can give siro another key; no other way is.
  for (const char* owner : {"admin-1", "admin-2"}) {
    const Status refused = RevokeKeyOf(owner, "dpo");
    ASSERT_THAT(refused, FailsWith(ErrorCode::kConflict)) << owner;
    EXPECT_THAT(refused.error().detail, HasSubstr("besides dpo"));
    EXPECT_THAT(refused.error().detail, HasSubstr("comity pki revoke"));
  }
  EXPECT_THAT(RevokeKeyOf("operator", "dpo"), IsOk()) << "who is needed for nothing of it";
  EXPECT_THAT(RevokeKeyOf("supervisor", "dpo"), IsOk()) << "two administrators remain";
  // Nobody takes the last way back, not as their first bar either.
  EXPECT_THAT(RevokeKeyOf("admin-1", "supervisor"), FailsWith(ErrorCode::kConflict));
  // A single certificate can be issued anew for the same key.
  EXPECT_THAT(revocations_->Revoke(OrderOf("admin-1", RevocationScope::kCertificate), kDpo),
              IsOk());
  // What stands is counted also after a restart.
  MustOpenAll();
  EXPECT_THAT(RevokeKeyOf("admin-1", "dpo"), FailsWith(ErrorCode::kConflict));
}

// The one who bars is not one of the two who would be needed to lift it.
TEST_F(CertificateRevocationsTest, ASecondBarOfOnePersonLeavesTheOthersAWayBack) {
  PutOffice();
  ASSERT_THAT(RevokeKeyOf("admin-1", "dpo"), IsOk());
  // siro and the supervisor are left to reinstate it; siro and dpo would be, too.
  EXPECT_THAT(RevokeKeyOf("supervisor", "dpo"), FailsWith(ErrorCode::kConflict));
  EXPECT_THAT(RevokeKeyOf("siro", "dpo"), FailsWith(ErrorCode::kConflict));
  EXPECT_THAT(RevokeKeyOf("admin-2", "dpo"), IsOk());
  EXPECT_THAT(RevokeKeyOf("supervisor", "siro"), IsOk()) << "the first of another person";
}

TEST_F(CertificateRevocationsTest, OnePersonDoesNotUseTheTableUp) {
  for (int i = 0; i < 100; ++i) MustRevoke("partner's key " + std::to_string(i));
  const auto over = revocations_->Revoke(Order("another"), kDpo);
  ASSERT_THAT(over, FailsWith(ErrorCode::kExhausted));
  EXPECT_THAT(over.error().detail, HasSubstr("dpo"));
  EXPECT_THAT(revocations_->Revoke(Order("another"), kBy), IsOk()) << "another person can";
  ASSERT_THAT(Reinstate(revocations_->List(false).back().id), IsOk());
  EXPECT_THAT(revocations_->Revoke(Order("one more"), kDpo), IsOk());
}

TEST_F(CertificateRevocationsTest, TheApproverReadsWhatWouldBeTakenAgain) {
  const std::string id = MustRevoke("stolen");
  const CertificateReinstate act(*revocations_);
  const auto words = act.Describe(EncodeCertificateReinstate(id, "it was found"));
  ASSERT_THAT(words, IsOk());
  EXPECT_THAT(*words, HasSubstr("spiffe://eastvale-council.example/gateway"));
  EXPECT_THAT(*words, HasSubstr("its laptop was stolen"));
  EXPECT_THAT(*words, HasSubstr("it was found"));
  EXPECT_THAT(act.Describe(EncodeCertificateReinstate("rev-none", "x")),
              FailsWith(ErrorCode::kNotFound));
  for (const char* bad : {"", "{}", R"({"reason":"x"})", R"({"reason":"","revocation":"rev-1"})",
                          R"({"more":"x","reason":"x","revocation":"rev-1"})"}) {
    EXPECT_THAT(act.Describe(bad), FailsWith(ErrorCode::kInvalidArgument)) << bad;
  }
}

TEST(RevocationTable, IsReadAsItWasWrittenByThisAgencyAlone) {
  const SecretBytes kek = SecretBytes::CopyOf(Bytes(32, 7));
  const auto own = policy::AgencyId::Parse("northshire-police").value();
  const auto other = policy::AgencyId::Parse("eastvale-council").value();
  RevocationTable table;
  table.version = 12;
  CertificateRevocation one;
  one.id = "rev-1";
  one.scope = RevocationScope::kCertificate;
  one.sha256 = hash::Sha256(AsBytes("a"));
  one.set_by = "dpo";
  one.reason = "r";
  table.revocations.push_back(one);
  one.id = "rev-2";
  one.scope = RevocationScope::kKey;
  one.lifted_by = "siro";
  one.lift_reason = "l";
  table.revocations.push_back(one);
  const auto text = SealRevocationTable(table, own, kek);
  ASSERT_THAT(text, IsOk());
  const auto read = OpenRevocationTable(*text, own, kek);
  ASSERT_THAT(read, IsOk());
  EXPECT_EQ(read->version, 12U);
  EXPECT_EQ(read->revocations, table.revocations);
  EXPECT_THAT(OpenRevocationTable(*text, other, kek), FailsWith(ErrorCode::kCorrupt));
  EXPECT_THAT(OpenRevocationTable(*text, own, SecretBytes::CopyOf(Bytes(32, 8))),
              FailsWith(ErrorCode::kCorrupt));
}

}  // namespace
}  // namespace comity::oversight
