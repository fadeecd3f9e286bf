// SPDX-License-Identifier: Apache-2.0
#include "services/oversight/restoration.h"

#include "services/audit/checkpoint.h"
#include "services/audit/events.h"
#include "services/oversight/stops.h"
#include "services/store/deployment_store.h"
#include "services/store/stop_store.h"
#include "tests/unit/services/oversight/retention_world.h"

namespace comity::oversight {
namespace {

namespace fs = std::filesystem;
using testing::FailsWith;
using ::testing::HasSubstr;
using testing::IsOk;
using ::testing::SizeIs;

class RestorationTest : public RetentionWorld {
 protected:
  void SetUp() override { MustOpen(); }
  void Record(int count) {
    for (int i = 0; i < count; ++i) {
      audit::Event event;
      event.type = audit::kPayloadOpened;
      event.parties = {own_};
      event.committed = {{"operator", "j-smith"}, {"reason", "complaint " + std::to_string(i)}};
      ASSERT_THAT(log_->Record(event), IsOk());
    }
  }
  Status Restore(const fs::path& copy) { return RestoreFrom(copy / "comity.db", copy / "log"); }
  RestoreConfirm Confirm() {
    return RestoreConfirm({*store_, *notices_, own_, clock_, [this] { ++confirmed_; }});
  }
  // As the approvals do it when the second person approves.
  Status Carry(identity::ActHandler& handler, const std::string& content) {
    identity::ActHandler::AfterCommit after;
    identity::PendingAct act;
    act.content = content;
    act.proposed_by = policy::PersonId::Parse("j-smith").value();
    const auto by = policy::PersonId::Parse("k-jones").value();
    COMITY_RETURN_IF_ERROR(
        log_->Commit([&](store::Transaction& tx, audit::Recorder& recorder) -> Status {
          COMITY_ASSIGN_OR_RETURN(after, handler.Carry(tx, recorder, act, by));
          return {};
        }));
    after();
    return {};
  }
  std::uint64_t LogSize() { return log_->Flush()->size; }

  int confirmed_ = 0;
};

// A gateway opens its database twice at its start; in between, somebody else's may be in its place.
TEST_F(RestorationTest, NoticesThatTheDatabaseIsNotTheOneThatWasRead) {
  Record(3);
  const auto before = StandingOf(*store_);
  ASSERT_THAT(before, IsOk());
  MustOpen();
  EXPECT_THAT(CheckStillStands(*store_, *before), IsOk());
  PutAlert("a-1", clock_.Now());
  EXPECT_THAT(CheckStillStands(*store_, *before), IsOk());
  ASSERT_THAT(Erase(policy::RetentionClass::kAlert, "a-1"), IsOk());
  EXPECT_THAT(CheckStillStands(*store_, *before), FailsWith(ErrorCode::kConflict));

  const auto erased = StandingOf(*store_);
  ASSERT_THAT(erased, IsOk());
  Record(1);
  EXPECT_THAT(CheckStillStands(*store_, *erased), FailsWith(ErrorCode::kConflict));

  const auto longer = StandingOf(*store_);
  ASSERT_THAT(longer, IsOk());
  ASSERT_THAT(Write([](store::Transaction& tx) {
                Restoration copy;
                copy.state = RestorationState::kCopy;
                return tx.retention().PutRestoration(copy);
              }),
              IsOk());
  const Status other = CheckStillStands(*store_, *longer);
  ASSERT_THAT(other, FailsWith(ErrorCode::kConflict));
  EXPECT_THAT(other.error().detail, HasSubstr("another one"));
}

TEST_F(RestorationTest, LeavesADatabaseThatIsNoCopyAlone) {
  EXPECT_EQ(restoration_.state, RestorationState::kNever);
  EXPECT_EQ(OriginOf(restoration_, kOrigin), kOrigin);
  MustOpen();
  EXPECT_EQ(restoration_.state, RestorationState::kNever);
}

TEST_F(RestorationTest, AnOlderStateOfTheWholeDirectoryIsNoticed) {
  const auto mark = [this] {
    return ledger_->Note(backup::line_kind::kMark, "", LogSize()).has_value();
  };
  Record(5);
  ASSERT_TRUE(mark());
  Close();
  const fs::path older = directory_.path() / "older";
  fs::copy(Data(), older, fs::copy_options::recursive);
  MustOpen();
  EXPECT_THAT(CheckNotRolledBack(*store_, *ledger_), IsOk());
  Record(7);
  ASSERT_TRUE(mark());
  Close();
  fs::remove_all(Data());
  fs::copy(older, Data(), fs::copy_options::recursive);
  MustOpen();
  const Status checked = CheckNotRolledBack(*store_, *ledger_);
  ASSERT_THAT(checked, FailsWith(ErrorCode::kConflict));
  EXPECT_THAT(checked.error().detail, HasSubstr("has 5 entries and had 12"));
}

// Of what an erasure's line says, the unit of work may have been lost.
TEST_F(RestorationTest, ALogThatLacksALostUnitOfWorkIsNotRolledBack) {
  Record(3);
  ASSERT_THAT(ledger_->Note(backup::line_kind::kMark, "", 3), IsOk());
  const store::ErasedRecord record{"alert", "a-1", "withdrawn", {}};
  ASSERT_THAT(ledger_->Append({&record, 1}, 4), IsOk());
  EXPECT_THAT(CheckNotRolledBack(*store_, *ledger_), IsOk());
}

TEST_F(RestorationTest, ARestoredLogIsShorterThanTheLostOneAndGoesOn) {
  Record(5);
  const fs::path copy = CopyNow();
  Record(7);
  ASSERT_THAT(ledger_->Note(backup::line_kind::kMark, "", LogSize()), IsOk());
  ASSERT_THAT(Restore(copy), IsOk());
  EXPECT_THAT(CheckNotRolledBack(*store_, *ledger_), IsOk());
  ASSERT_THAT(ledger_->Note(backup::line_kind::kMark, "", LogSize() + 1), IsOk());
  EXPECT_THAT(CheckNotRolledBack(*store_, *ledger_), FailsWith(ErrorCode::kConflict));
}

TEST_F(RestorationTest, GoesOnUnderANewNameSoThatNoPublishedCheckpointIsContradicted) {
  Record(5);
  const fs::path copy = CopyNow();
  Record(7);
  const audit::Checkpoint lost = log_->Flush().value();
  PutAlert("a-1", clock_.Now());
  ASSERT_THAT(Erase(policy::RetentionClass::kAlert, "a-1"), IsOk());  // the ledger learns the size
  clock_.Advance(std::chrono::hours(1));
  ASSERT_THAT(Restore(copy), IsOk());
  EXPECT_EQ(restoration_.state, RestorationState::kRestored);
  EXPECT_EQ(restoration_.log_size, 5U);
  EXPECT_EQ(restoration_.largest_seen, 12U);
  EXPECT_THAT(restoration_.log_origin, HasSubstr(std::string(kOrigin) + "/2026-11-25-"));
  Record(1);
  const audit::Checkpoint now = log_->Flush().value();
  EXPECT_EQ(now.size, 6U);
  const auto old_key = audit::VerifierKeyOf(kOrigin, log_key_);
  const auto new_key = audit::VerifierKeyOf(restoration_.log_origin, log_key_);
  EXPECT_THAT(audit::OpenOwnCheckpoint(now.note, new_key), IsOk());
  EXPECT_THAT(audit::OpenOwnCheckpoint(now.note, old_key), FailsWith(ErrorCode::kCorrupt));
  EXPECT_THAT(audit::OpenOwnCheckpoint(lost.note, old_key), IsOk());
  EXPECT_TRUE(fs::exists(Data() / "log-of-b-1" / "checkpoint"));
}

TEST_F(RestorationTest, StopsEveryAgreementThatIsHeldUntilTwoPeopleLiftIt) {
  Record(3);
  for (const auto& [id, version] : {std::pair("a-one", 1U), {"a-one", 2U}, {"a-two", 1U}}) {
    const store::AgreementDocumentRecord document{policy::AgreementId::Parse(id).value(), version,
                                                  Digest{}, "yaml", clock_.Now()};
    ASSERT_THAT(
        Write([&](store::Transaction& tx) { return tx.agreements().AddDocument(document); }),
        IsOk());
  }
  ASSERT_THAT(Restore(CopyNow()), IsOk());
  std::vector<std::string> stopped;
  const auto read = [&](const store::Transaction& tx) -> Status {
    COMITY_ASSIGN_OR_RETURN(const auto standing, tx.stops().Standing());
    for (const store::StopRecord& stop : standing) {
      EXPECT_EQ(stop.scope, store::StopScope::kAgreement);
      EXPECT_EQ(stop.set_by, Stops::kAlarm);
      stopped.push_back(stop.reference);
    }
    return {};
  };
  ASSERT_THAT(store_->Read(read), IsOk());
  EXPECT_THAT(stopped, ::testing::UnorderedElementsAre("a-one", "a-two"));
  RestoreConfirm confirm = Confirm();
  const auto words = confirm.Describe(EncodeRestoreConfirm(restoration_, "disk replaced"));
  ASSERT_THAT(words, IsOk());
  EXPECT_THAT(*words, HasSubstr("own people have suspended, terminated or rejected"));
  EXPECT_THAT(*words, HasSubstr("are out again, so far as the ledger lists them"));
}

TEST_F(RestorationTest, NamesEveryRestorationAnew) {
  Record(3);
  const fs::path copy = CopyNow();
  ASSERT_THAT(Restore(copy), IsOk());
  const std::string first = restoration_.log_origin;
  MustOpen();
  EXPECT_EQ(restoration_.log_origin, first);  // a further start is not a further restoration
  ASSERT_THAT(Restore(copy), IsOk());
  EXPECT_NE(restoration_.log_origin, first);
}

TEST_F(RestorationTest, CanBeBackedUpAndRestoredAgain) {
  Record(3);
  ASSERT_THAT(Restore(CopyNow()), IsOk());
  const std::string first = restoration_.log_origin;
  Record(2);
  ASSERT_THAT(Restore(CopyNow()), IsOk());
  EXPECT_NE(restoration_.log_origin, first);
  EXPECT_EQ(LogSize(), 5U);
}

TEST_F(RestorationTest, RefusesADatabaseWhoseLogIsNotTheSignedOne) {
  Record(3);
  const fs::path copy = CopyNow();
  Record(4);
  const fs::path later = CopyNow();
  // The log of a later moment has entries that the database lacks.
  EXPECT_THAT(RestoreFrom(copy / "comity.db", later / "log"), FailsWith(ErrorCode::kCorrupt));
  fs::create_directories(directory_.path() / "empty");
  EXPECT_THAT(RestoreFrom(copy / "comity.db", directory_.path() / "empty"),
              FailsWith(ErrorCode::kCorrupt));
}

TEST_F(RestorationTest, StopsEveryListAndEveryRunningDeployment) {
  store::WatchlistRecord list;
  list.reference = policy::WatchlistId::Parse("operation-lantern").value();
  list.state = store::ListState::kApproved;
  list.definition = "definition";
  list.wrapped_key = ToBytes("key");
  store::DeploymentRecord running;
  running.id = policy::DeploymentId::Parse("d-running").value();
  running.definition = "{}";
  store::DeploymentRecord over = running;
  over.id = policy::DeploymentId::Parse("d-over").value();
  over.state = store::DeploymentState::kOver;
  ASSERT_THAT(Write([&](store::Transaction& tx) -> Status {
                COMITY_RETURN_IF_ERROR(tx.watchlists().AddList(list));
                COMITY_RETURN_IF_ERROR(tx.deployments().Add(running));
                return tx.deployments().Add(over);
              }),
              IsOk());
  ASSERT_THAT(Restore(CopyNow()), IsOk());
  std::vector<store::StopRecord> stops;
  ASSERT_THAT(store_->Read([&](const store::Transaction& tx) -> Status {
    COMITY_ASSIGN_OR_RETURN(stops, tx.stops().Standing());
    return {};
  }),
              IsOk());
  ASSERT_THAT(stops, SizeIs(2));
  EXPECT_EQ(stops[0].reference, "operation-lantern");
  EXPECT_EQ(stops[1].reference, "d-running");
  EXPECT_THAT(stops[0].reason, HasSubstr("restored from backup b-1"));
}

TEST_F(RestorationTest, IsConfirmedOnceInWordsThatNameTheLoss) {
  Record(5);
  const fs::path copy = CopyNow();
  Record(7);
  ASSERT_THAT(ledger_->Note(backup::line_kind::kMark, "", LogSize()), IsOk());
  ASSERT_THAT(Restore(copy), IsOk());
  RestoreConfirm handler = Confirm();
  const std::string content = EncodeRestoreConfirm(restoration_, "disk replaced");
  const auto words = handler.Describe(content);
  ASSERT_THAT(words, IsOk());
  EXPECT_THAT(*words, HasSubstr("THIS IS A ROLLBACK: the backup holds 5 log entries, the lost log "
                                "had at least 12"));
  EXPECT_THAT(*words, HasSubstr("disk replaced"));
  ASSERT_THAT(Carry(handler, content), IsOk());
  EXPECT_EQ(confirmed_, 1);
  EXPECT_THAT(handler.Describe(content), FailsWith(ErrorCode::kConflict));
  EXPECT_THAT(NoticesFor(identity::Role::kDpo), SizeIs(1));
  MustOpen();
  EXPECT_EQ(restoration_.state, RestorationState::kConfirmed);
}

TEST_F(RestorationTest, IsNotConfirmedForAnotherRestorationOrNone) {
  RestoreConfirm none = Confirm();
  EXPECT_THAT(none.Describe(EncodeRestoreConfirm(restoration_, "why")),
              FailsWith(ErrorCode::kConflict));
  const fs::path copy = CopyNow();
  ASSERT_THAT(Restore(copy), IsOk());
  const std::string content = EncodeRestoreConfirm(restoration_, "why");
  ASSERT_THAT(Restore(copy), IsOk());
  RestoreConfirm again = Confirm();
  EXPECT_THAT(again.Describe(content), FailsWith(ErrorCode::kConflict));
  EXPECT_THAT(Carry(again, content), FailsWith(ErrorCode::kConflict));
}

TEST_F(RestorationTest, TrustsAPartnerOnceItWasReached) {
  const auto partner = policy::AgencyId::Parse("eastvale-council").value();
  EXPECT_TRUE((*Reunion::Open(*store_, restoration_))->IsReunited(partner));
  ASSERT_THAT(Restore(CopyNow()), IsOk());
  {
    const auto reunion = Reunion::Open(*store_, restoration_);
    ASSERT_THAT(reunion, IsOk());
    EXPECT_FALSE((*reunion)->IsReunited(partner));
    EXPECT_THAT((*reunion)->Waiting({partner}), SizeIs(1));
    ASSERT_THAT((*reunion)->NoteReached(partner), IsOk());
    EXPECT_TRUE((*reunion)->IsReunited(partner));
  }
  EXPECT_TRUE((*Reunion::Open(*store_, restoration_))->IsReunited(partner));  // over a restart
  ASSERT_THAT(Restore(CopyNow()), IsOk());
  EXPECT_FALSE((*Reunion::Open(*store_, restoration_))->IsReunited(partner));
}

}  // namespace
}  // namespace comity::oversight
