// SPDX-License-Identifier: Apache-2.0
#include "services/oversight/retention.h"

#include <thread>

#include "crypto/merkle/tree_hash.h"
#include "crypto/tlog/proof_text.h"
#include "services/audit/checkpoint.h"
#include "services/audit/events.h"
#include "services/audit/payload.h"
#include "services/audit/prove.h"
#include "services/backup/backup_key.h"
#include "services/oversight/retention_hold.h"
#include "services/store/outbox_store.h"
#include "tests/unit/services/oversight/retention_world.h"

namespace comity::oversight {
namespace {

using policy::RetentionClass;
using std::chrono::days;
using std::chrono::hours;
using std::chrono::seconds;
using testing::FailsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::IsOk;
using ::testing::Not;
using ::testing::SizeIs;

class Retention : public RetentionWorld {
 protected:
  void SetUp() override { MustOpen(); }
  std::uint64_t Run() {
    const auto erased = desk_->Run();
    EXPECT_THAT(erased, IsOk());
    std::uint64_t all = 0;
    for (const ErasedCount& count : *erased) all += count.records;
    return all;
  }
  ClassStatus StatusOf(RetentionClass record_class) {
    const auto classes = desk_->Due();
    for (const ClassStatus& status : classes.value()) {
      if (status.record_class == record_class) return status;
    }
    return {};
  }
  void RecordOpening(const std::string& reason) {
    audit::Event event;
    event.type = audit::kPayloadOpened;
    event.parties = {own_};
    event.committed = {{"operator", "j-smith"}, {"reason", reason}};
    ASSERT_THAT(log_->Record(event), IsOk());
  }
};

TEST_F(Retention, SaysOfEveryClassWhatIsKept) {
  const auto classes = desk_->Due();
  ASSERT_THAT(classes, IsOk());
  ASSERT_THAT(*classes, SizeIs(policy::RetentionRules().size()));
  EXPECT_FALSE(StatusOf(RetentionClass::kFace).stored);
  EXPECT_FALSE(StatusOf(RetentionClass::kExport).stored);
  EXPECT_TRUE(StatusOf(RetentionClass::kAlert).stored);
}

TEST_F(Retention, ErasesAnAlertAtItsTimeAndNotBefore) {
  PutAlert("a-1", clock_.Now() + hours(24));
  clock_.Advance(hours(24) - std::chrono::microseconds(1));
  EXPECT_EQ(Run(), 0U);
  EXPECT_EQ(StatusOf(RetentionClass::kAlert).next_due, clock_.Now() + std::chrono::microseconds(1));
  clock_.Advance(std::chrono::microseconds(1));
  EXPECT_EQ(StatusOf(RetentionClass::kAlert).due, 1U);
  EXPECT_EQ(Run(), 1U);
  EXPECT_FALSE(HasAlert("a-1"));
  EXPECT_THAT(Files(), Not(HasSubstr("content-of-a-1")));
}

// The entry, its tile and every proof outlive the payload; who was named does not.
TEST_F(Retention, ErasesPayloadsAfterThreeYearsAndProofsStillHold) {
  RecordOpening("complaint of a citizen");
  clock_.Advance(days(1095) - seconds(1));
  EXPECT_EQ(Run(), 0U);
  EXPECT_EQ(audit::OpenPayload(*store_, kek_, 0)->fields.at("reason"), "complaint of a citizen");
  const auto before = audit::ProveIndex(*log_, 0);
  clock_.Advance(seconds(1));
  EXPECT_EQ(Run(), 1U);
  const auto opened = audit::OpenPayload(*store_, kek_, 0);
  ASSERT_THAT(opened, IsOk());
  EXPECT_TRUE(opened->erased);
  EXPECT_THAT(opened->fields, IsEmpty());
  const tlog::VerifierKey key = audit::VerifierKeyOf(kOrigin, log_key_);
  for (const auto& proof : {before, audit::ProveIndex(*log_, 0)}) {
    ASSERT_THAT(proof, IsOk());
    const auto parsed = tlog::ParseTlogProof(proof->proof);
    ASSERT_THAT(parsed, IsOk());
    EXPECT_THAT(tlog::VerifyTlogProof(*parsed, merkle::LeafHash(proof->entry), key), IsOk());
  }
  // The whole log is read again and compared with its checkpoint.
  EXPECT_THAT(Open(), IsOk());
}

TEST_F(Retention, KeepsPayloadsNoLongerThanTheAgreementSaysAndAtLeastAYear) {
  log_->UseRetention([](const audit::Event&) { return days(400); });
  audit::Event event;
  event.type = audit::kSearchRefused;
  event.parties = {own_};
  event.agreement = policy::AgreementRef{policy::AgreementId::Parse("one").value(), 1, {}};
  event.committed = {{"case_ref", "C-1"}};
  ASSERT_THAT(log_->Record(event), IsOk());
  log_->UseRetention([](const audit::Event&) { return days(10); });
  ASSERT_THAT(log_->Record(event), IsOk());
  EXPECT_EQ(StatusOf(RetentionClass::kAuditPayload).next_due, clock_.Now() + days(365));
  clock_.Advance(days(365));
  EXPECT_EQ(Run(), 1U);
  EXPECT_TRUE(audit::OpenPayload(*store_, kek_, 1)->erased);
  EXPECT_FALSE(audit::OpenPayload(*store_, kek_, 0)->erased);
  clock_.Advance(days(35));
  EXPECT_EQ(Run(), 1U);
  EXPECT_TRUE(audit::OpenPayload(*store_, kek_, 0)->erased);
}

TEST_F(Retention, ErasesMessagesADayAfterTheyArrivedAndReceiptsAfterThreeYears) {
  ASSERT_THAT(Write([&](store::Transaction& tx) -> Status {
                store::OutboxRecord message;
                message.peer = policy::AgencyId::Parse("eastvale-council").value();
                message.id = std::string(26, 'a');
                message.kind = "entry-change";
                message.content = "content-of-the-message";
                COMITY_ASSIGN_OR_RETURN(const auto number, tx.outbox().Add(message));
                return tx.outbox().Acknowledge(number, "receipt-of-the-partner", clock_.Now());
              }),
              IsOk());
  clock_.Advance(hours(24));
  EXPECT_EQ(Run(), 1U);
  EXPECT_THAT(Files(), Not(HasSubstr("content-of-the-message")));
  EXPECT_THAT(Files(), HasSubstr("receipt-of-the-partner"));
  clock_.Advance(days(1095));
  EXPECT_GE(Run(), 1U);
  EXPECT_THAT(Files(), Not(HasSubstr("receipt-of-the-partner")));
}

TEST_F(Retention, ForgetsCountersAndReplayIds) {
  ASSERT_THAT(
      Write([&](store::Transaction& tx) -> Status {
        const auto peer = policy::AgencyId::Parse("eastvale-council").value();
        COMITY_RETURN_IF_ERROR(tx.capacity().Reserve(
            {policy::AgreementId::Parse("one").value(), "p1", peer, policy::UtcDay(clock_.Now())},
            5));
        return tx.replays().Remember(peer, "x", clock_.Now() + seconds(130));
      }),
      IsOk());
  clock_.Advance(seconds(60));
  Run();
  EXPECT_EQ(StatusOf(RetentionClass::kReplayId).kept, 1U);
  clock_.Advance(seconds(71));
  Run();
  EXPECT_EQ(StatusOf(RetentionClass::kReplayId).kept, 0U);
  EXPECT_EQ(StatusOf(RetentionClass::kCounter).kept, 1U);
  clock_.Advance(days(3));
  Run();
  EXPECT_EQ(StatusOf(RetentionClass::kCounter).kept, 0U);
}

TEST_F(Retention, DestroysTheKeysOfExpiredBackups) {
  const SecretBytes key = SecretBytes::CopyOf(Bytes(32, 1));
  ASSERT_THAT(backup::StoreBackupKey({"b-one", clock_.Now() + days(30), key.Clone()}, kek_,
                                     ledger_->folders(), random_),
              IsOk());
  EXPECT_EQ(StatusOf(RetentionClass::kBackup).kept, 1U);
  clock_.Advance(days(30));
  EXPECT_EQ(Run(), 1U);
  EXPECT_EQ(StatusOf(RetentionClass::kBackup).kept, 0U);
  EXPECT_THAT(backup::FindBackupKey("b-one", kek_, ledger_->folders()),
              FailsWith(ErrorCode::kNotFound));
}

TEST_F(Retention, ErasesManyInUnitsThatLetOthersIn) {
  for (int i = 0; i < 900; ++i) {
    PutAlert("a-" + std::to_string(i), clock_.Now());
  }
  std::atomic<bool> done = false;
  std::uint64_t between = 0;
  std::jthread other([&] {
    while (!done) {
      if (Write([](store::Transaction&) { return Status(); })) ++between;
    }
  });
  EXPECT_EQ(Run(), 900U);
  done = true;
  other.join();
  EXPECT_GT(between, 4U);
  std::vector<store::ErasureRecord> rows;
  ASSERT_THAT(store_->Read([&](const store::Transaction& tx) -> Status {
    COMITY_ASSIGN_OR_RETURN(rows, tx.retention().Erasures({}, clock_.Now() + seconds(1), 1000));
    return {};
  }),
              IsOk());
  for (const store::ErasureRecord& row : rows) EXPECT_LE(row.records, 200U);
}

TEST_F(Retention, ReportsWhatWasErasedWhyAndHowLate) {
  PutAlert("a-1", clock_.Now());
  PutAlert("a-2", clock_.Now() + hours(1));
  PutAlert("a-3", clock_.Now() + hours(1));
  const policy::Instant begin = clock_.Now();
  clock_.Advance(seconds(5));
  EXPECT_EQ(Run(), 1U);
  ASSERT_THAT(Erase(RetentionClass::kAlert, "a-2", "withdrawn"), IsOk());
  const auto report = desk_->ReportOf(begin, clock_.Now() + seconds(1));
  ASSERT_THAT(report, IsOk());
  ASSERT_THAT(report->erased, SizeIs(2));
  EXPECT_EQ(report->erased[0].reason, "expired");
  EXPECT_EQ(report->erased[0].records, 1U);
  EXPECT_EQ(report->erased[0].late_ms, 5000);
  EXPECT_EQ(report->erased[1].reason, "withdrawn");
  EXPECT_EQ(report->erased[1].late_ms, 0);
  EXPECT_EQ(report->overdue, 0U);
  EXPECT_TRUE(report->whole);
  EXPECT_THAT(desk_->ReportOf(begin - hours(1), begin)->erased, IsEmpty());
}

TEST_F(Retention, TellsOnceOfWhatIsOverdueWhileTheLedgerCannotBeWritten) {
  PutAlert("a-1", clock_.Now());
  std::filesystem::remove(backup::LedgerFileIn(Copy()));
  EXPECT_THAT(desk_->Housekeep(), FailsWith(ErrorCode::kUnavailable));
  EXPECT_TRUE(HasAlert("a-1"));
  EXPECT_THAT(NoticesFor(identity::Role::kDpo), IsEmpty());
  clock_.Advance(seconds(61));
  EXPECT_THAT(desk_->Housekeep(), FailsWith(ErrorCode::kUnavailable));
  EXPECT_THAT(desk_->Housekeep(), FailsWith(ErrorCode::kUnavailable));
  const auto notices = NoticesFor(identity::Role::kDpo);
  ASSERT_THAT(notices, SizeIs(1));
  EXPECT_EQ(notices[0].kind, identity::notice::kErasureOverdue);
  EXPECT_EQ(StatusOf(RetentionClass::kAlert).overdue, 1U);
  MustOpen();  // the copy is made again from the other one
  EXPECT_THAT(desk_->Housekeep(), IsOk());
  EXPECT_FALSE(HasAlert("a-1"));
  EXPECT_EQ(StatusOf(RetentionClass::kAlert).overdue, 0U);
}

TEST_F(Retention, IsCheapWhenNothingIsDue) {
  for (int i = 0; i < 300; ++i) PutAlert("a-" + std::to_string(i), clock_.Now() + hours(24));
  ASSERT_THAT(desk_->Housekeep(), IsOk());
  const auto begin = std::chrono::steady_clock::now();
  for (int i = 0; i < 20; ++i) ASSERT_THAT(desk_->Housekeep(), IsOk());
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(2));
}

class Holds : public Retention {
 protected:
  // What two people do, without their signatures: the handler is called as the approvals call it.
  Status Carry(identity::ActHandler& handler, const std::string& content) {
    const auto words = handler.Describe(content);
    if (!words) return Fail(words.error());
    words_ = *words;
    identity::PendingAct act;
    act.content = content;
    act.proposed_by = policy::PersonId::Parse("j-smith").value();
    const auto by = policy::PersonId::Parse("k-jones").value();
    return log_->Commit([&](store::Transaction& tx, audit::Recorder& recorder) -> Status {
      COMITY_RETURN_IF_ERROR(handler.Carry(tx, recorder, act, by));
      return {};
    });
  }
  HoldSetup Ports() { return {*store_, own_, clock_}; }
  Status Place(const std::string& reference, std::uint32_t review_days = 90) {
    PlaceHold handler(Ports());
    COMITY_ASSIGN_OR_RETURN(
        const std::string content,
        EncodeHold({RetentionClass::kAlert, reference, "evidence in case 12", review_days}));
    return Carry(handler, content);
  }
  Status Release(std::uint64_t number) {
    ReleaseHold handler(Ports());
    return Carry(handler, EncodeRelease(number, "case closed"));
  }
  std::string words_;
};

TEST_F(Holds, StopTheErasureOfOneRecordUntilTheyAreReleased) {
  PutAlert("a-1", clock_.Now());
  PutAlert("a-2", clock_.Now());
  ASSERT_THAT(Place("a-1"), IsOk());
  EXPECT_THAT(words_, HasSubstr("alert a-1"));
  EXPECT_EQ(Run(), 1U);
  EXPECT_TRUE(HasAlert("a-1"));
  EXPECT_FALSE(HasAlert("a-2"));
  EXPECT_EQ(StatusOf(RetentionClass::kAlert).held, 1U);
  EXPECT_EQ(StatusOf(RetentionClass::kAlert).overdue, 0U);
  ASSERT_THAT(Release(1), IsOk());
  EXPECT_EQ(Run(), 1U);
  EXPECT_FALSE(HasAlert("a-1"));
}

TEST_F(Holds, AreRefusedTwiceAndForClassesThatCannotBeHeld) {
  ASSERT_THAT(Place("a-1"), IsOk());
  EXPECT_THAT(Place("a-1"), FailsWith(ErrorCode::kConflict));
  EXPECT_THAT(Release(7), FailsWith(ErrorCode::kNotFound));
  EXPECT_THAT(EncodeHold({RetentionClass::kReplayId, "x", "why", 90}),
              FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_THAT(EncodeHold({RetentionClass::kAlert, "x", "", 90}),
              FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_THAT(EncodeHold({RetentionClass::kAlert, "x", "why", 366}),
              FailsWith(ErrorCode::kInvalidArgument));
}

TEST_F(Holds, AskForTheirReviewThenEscalateAndCountAsRestricted) {
  ASSERT_THAT(Place("a-1", 30), IsOk());
  ASSERT_THAT(desk_->Housekeep(), IsOk());
  EXPECT_THAT(NoticesFor(identity::Role::kDpo), IsEmpty());
  clock_.Advance(days(30));
  ASSERT_THAT(desk_->Housekeep(), IsOk());
  ASSERT_THAT(desk_->Housekeep(), IsOk());
  EXPECT_THAT(NoticesFor(identity::Role::kDpo), SizeIs(1));
  EXPECT_THAT(NoticesFor(identity::Role::kSignatory), IsEmpty());
  clock_.Advance(days(14));
  ASSERT_THAT(desk_->Housekeep(), IsOk());
  EXPECT_THAT(NoticesFor(identity::Role::kSignatory), SizeIs(1));
  store::HoldRecord hold;
  ASSERT_THAT(store_->Read([&](const store::Transaction& tx) -> Status {
    COMITY_ASSIGN_OR_RETURN(const auto holds, tx.retention().Holds());
    hold = holds.at(0);
    return {};
  }),
              IsOk());
  EXPECT_EQ(StateOf(hold, clock_.Now()), HoldState::kRestricted);
  // Held anew, it is in order again, under a new number.
  ASSERT_THAT(Place("a-1", 30), IsOk());
  ASSERT_THAT(Release(2), IsOk());
}

}  // namespace
}  // namespace comity::oversight
