// SPDX-License-Identifier: Apache-2.0
#include "services/oversight/bound_start.h"

#include <SQLiteCpp/SQLiteCpp.h>
#include <gmock/gmock.h>

#include "services/audit/events.h"
#include "services/backup/ledger_line.h"
#include "services/store/bound_tables.h"
#include "services/store/setting_store.h"
#include "services/store/stop_store.h"
#include "tests/unit/services/oversight/bars_world.h"

namespace comity::oversight {
namespace {

using identity::Role;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::IsOk;
using ::testing::Not;
using ::testing::SizeIs;

// Starts of a gateway over one directory, with its key. The base opens it as a former version did.
class BoundStart : public BarsWorld {
 protected:
  void SetUp() override {}

  // In: dies  before log and people are told of anything
  Status Start(bool dies = false) {
    CloseRegisters();
    Close();
    {
      COMITY_ASSIGN_OR_RETURN(const auto bare, store::OpenSqliteStore(Data(), nullptr, &kek_));
      COMITY_ASSIGN_OR_RETURN(ledger_,
                              ErasureLedger::Open({Data(), Copy(), kek_, own_, clock_, random_}));
      COMITY_RETURN_IF_ERROR(BindTables(*bare, *ledger_));
      if (dies) return {};
      COMITY_ASSIGN_OR_RETURN(replayed_, ReplayErasures(*bare, *ledger_, clock_));
      COMITY_ASSIGN_OR_RETURN(restoration_, AdoptCopy({*bare, *ledger_, Data(), kOrigin, log_key_,
                                                       replayed_, clock_, random_}));
    }
    COMITY_ASSIGN_OR_RETURN(store_, store::OpenSqliteStore(Data(), ledger_.get(), &kek_));
    COMITY_RETURN_IF_ERROR(ExpectMarked(*store_, *ledger_));
    COMITY_ASSIGN_OR_RETURN(
        log_, audit::Log::Open({*store_, log_key_, OriginOf(restoration_, kOrigin), kek_, Data(),
                                clock_, *logger_, random_}));
    notices_ =
        std::make_unique<identity::Notices>(identity::Notices::Setup{*store_, *log_, own_, clock_});
    COMITY_RETURN_IF_ERROR(
        TellOfBinding({*store_, *ledger_, *log_, *notices_, own_, clock_, *logger_}));
    COMITY_RETURN_IF_ERROR(MarkLedger(*store_, *ledger_));
    return {};
  }
  void SetStop(const std::string& id) {
    store::StopRecord stop;
    stop.id = id;
    stop.scope = store::StopScope::kPartner;
    stop.reference = "eastvale-council";
    stop.set_by = "siro";
    stop.reason = "complaint";
    stop.set_at = clock_.Now();
    audit::Event event;
    event.type = audit::kConfigurationAcknowledged;  // so that the log grows with it
    event.parties = {own_};
    ASSERT_THAT(log_->Commit([&](store::Transaction& tx, audit::Recorder& recorder) -> Status {
      COMITY_RETURN_IF_ERROR(tx.stops().Add(stop));
      COMITY_RETURN_IF_ERROR(recorder.Record(event));
      return {};
    }),
                IsOk());
  }
  // The node is lost, a copy comes in its place after `sql` was run on it.
  void PutBack(const std::filesystem::path& copy, const std::string& sql) {
    Close();
    data_ = "restored-" + std::to_string(++restorations_);
    std::filesystem::create_directories(Data());
    std::filesystem::copy_file(copy / "comity.db", Data() / "comity.db");
    std::filesystem::copy(copy / "log", Data() / "log", std::filesystem::copy_options::recursive);
    if (!sql.empty()) {
      SQLite::Database((Data() / "comity.db").string(), SQLite::OPEN_READWRITE, 5000).exec(sql);
    }
  }
  void Execute(const std::string& sql) {
    CloseRegisters();
    Close();
    SQLite::Database((Data() / "comity.db").string(), SQLite::OPEN_READWRITE, 5000).exec(sql);
  }
  void AnotherNode() {
    TearDown();
    Close();
    std::filesystem::remove_all(Copy());
    data_ = "another-node-" + std::to_string(++restorations_);
  }
  std::vector<std::string> Told(std::string_view kind) {
    std::vector<std::string> words;
    for (const auto& notice : NoticesFor(Role::kDpo)) {
      if (notice.kind == kind) words.push_back(notice.words);
    }
    return words;
  }
  // A bound node with two stops, as a backup has it.
  std::filesystem::path BoundCopy() {
    EXPECT_THAT(Start(), IsOk());
    SetStop("stop-1");
    SetStop("stop-2");
    return CopyNow();
  }
};

TEST_F(BoundStart, AFirstBindingIsToldByTheNextStartWhenItsOwnDied) {
  BarsWorld::MustOpenAll();  // a former version, which logs
  SetStop("stop-1");
  ASSERT_THAT(Start(/*dies=*/true), IsOk());
  ASSERT_THAT(Start(/*dies=*/true), IsOk());
  for (int start = 0; start < 2; ++start) {
    ASSERT_THAT(Start(), IsOk());
    EXPECT_EQ(CountEvents(audit::kTablesBound), 1U);
    const auto told = Told(identity::notice::kTablesBound);
    ASSERT_THAT(told, SizeIs(1));
    EXPECT_THAT(told[0], HasSubstr("deployment 0, stop 1, retention_hold 0, restoration 0"));
    EXPECT_EQ(CountEvents(audit::kTamperFound), 0U);
  }
}

// Somebody writes into the database between the start that bound and died, and the next one.
TEST_F(BoundStart, ANoteThatSomebodyElseChangedIsNotTold) {
  for (const char* change :
       {"UPDATE setting SET value = replace(value, 'stop 1', 'stop 0') WHERE name = 'tables-bound'",
        "UPDATE setting SET value = 'first deployment 0 stop 0' WHERE name = 'tables-bound'",
        "UPDATE setting SET value = '' WHERE name = 'tables-bound'",
        "UPDATE setting SET value = 'v2 1 ' WHERE name = 'tables-bound'",
        "DELETE FROM setting WHERE name = 'tables-bound'"}) {
    BarsWorld::MustOpenAll();
    SetStop("stop-1");
    ASSERT_THAT(Start(/*dies=*/true), IsOk());
    Execute(change);
    for (int start = 0; start < 2; ++start) {
      ASSERT_THAT(Start(), IsOk()) << change;
      EXPECT_EQ(CountEvents(audit::kTablesBound), 0U) << change;
      EXPECT_EQ(CountEvents(audit::kTamperFound), 1U) << change;
      const auto told = Told(identity::notice::kTamperFound);
      ASSERT_THAT(told, SizeIs(1)) << change;
      EXPECT_THAT(told[0], HasSubstr("the setting tables-bound of the database"));
    }
    AnotherNode();
  }
}

TEST_F(BoundStart, ANoteThatWasToldAlreadyIsNotToldAgain) {
  BarsWorld::MustOpenAll();
  SetStop("stop-1");
  ASSERT_THAT(Start(/*dies=*/true), IsOk());
  Execute("CREATE TABLE kept AS SELECT * FROM setting WHERE name = 'tables-bound'");
  ASSERT_THAT(Start(), IsOk());
  Execute(
      "UPDATE setting SET value = (SELECT value FROM kept) WHERE name = 'tables-bound';"
      "DROP TABLE kept");
  ASSERT_THAT(Start(), IsOk());
  EXPECT_EQ(CountEvents(audit::kTablesBound), 1U);
  ASSERT_THAT(Told(identity::notice::kTamperFound), SizeIs(1));
  EXPECT_THAT(Told(identity::notice::kTamperFound)[0], HasSubstr("an older state of it"));
}

// The version before wrote no authenticator: its text is taken once, at the first start of this
// one.
TEST_F(BoundStart, ANoteOfAFormerVersionIsTakenOnceAndNeverAgain) {
  constexpr const char* kFormer =
      "UPDATE setting SET value = 'first deployment 0 stop 1 retention_hold 0 restoration 0'"
      " WHERE name = 'tables-bound'";
  BarsWorld::MustOpenAll();
  SetStop("stop-1");
  ASSERT_THAT(ledger_->Note(backup::line_kind::kBound, "", 0), IsOk());
  CloseRegisters();
  Close();
  {
    const auto bare = store::OpenSqliteStore(Data(), nullptr, &kek_);
    ASSERT_THAT(bare, IsOk());
    ASSERT_THAT((*bare)->Write([](store::Transaction& tx) -> Status {
      COMITY_RETURN_IF_ERROR(tx.settings().Put("tables-bound", "to be replaced"));
      return tx.bound_tables().Bind();
    }),
                IsOk());
  }
  Execute(kFormer);
  ASSERT_THAT(Start(), IsOk());
  EXPECT_EQ(CountEvents(audit::kTamperFound), 0U);
  ASSERT_THAT(Told(identity::notice::kTablesBound), SizeIs(1));
  EXPECT_THAT(Told(identity::notice::kTablesBound)[0], HasSubstr("stop 1"));
  Execute(kFormer);
  ASSERT_THAT(Start(), IsOk());
  EXPECT_THAT(Told(identity::notice::kTablesBound), SizeIs(1));
  EXPECT_EQ(CountEvents(audit::kTamperFound), 1U);
}

TEST_F(BoundStart, ANoteThatWasChangedInACopyIsTold) {
  PutBack(BoundCopy(), "UPDATE setting SET value = value || 'x' WHERE name = 'tables-bound'");
  ASSERT_THAT(Start(/*dies=*/true), IsOk());
  ASSERT_THAT(Start(), IsOk());
  EXPECT_EQ(CountEvents(audit::kTamperFound), 1U);
  ASSERT_THAT(Told(identity::notice::kTamperFound), SizeIs(1));
  EXPECT_THAT(Told(identity::notice::kTamperFound)[0], HasSubstr("in the backup's copy"));
}

TEST_F(BoundStart, OfANewNodeThereIsNothingToTell) {
  ASSERT_THAT(Start(/*dies=*/true), IsOk());
  ASSERT_THAT(Start(), IsOk());
  EXPECT_EQ(CountEvents(audit::kTablesBound), 0U);
  EXPECT_THAT(NoticesFor(Role::kDpo), IsEmpty());
}

TEST_F(BoundStart, ACopyAsTheBackupHasItIsBoundWithoutAWord) {
  PutBack(BoundCopy(), "");
  ASSERT_THAT(Start(), IsOk());
  EXPECT_EQ(CountEvents(audit::kTablesBound), 1U);
  EXPECT_EQ(CountEvents(audit::kTamperFound), 0U);
  EXPECT_THAT(Told(identity::notice::kTamperFound), IsEmpty());
}

// Also when the start that found it died before it said so.
TEST_F(BoundStart, AStopThatWasTakenFromACopyIsTold) {
  for (const bool dies : {false, true}) {
    PutBack(BoundCopy(), "DELETE FROM stop WHERE id = 'stop-1'");
    if (dies) {
      ASSERT_THAT(Start(/*dies=*/true), IsOk());
    }
    ASSERT_THAT(Start(), IsOk());
    EXPECT_EQ(CountEvents(audit::kTamperFound), 1U);
    const auto told = Told(identity::notice::kTamperFound);
    ASSERT_THAT(told, SizeIs(1));
    EXPECT_THAT(told[0], HasSubstr("table stop"));
    EXPECT_THAT(told[0], Not(HasSubstr("deployment was")));
    // Nobody is told twice, and the node can be used once two people have looked.
    ASSERT_THAT(Start(), IsOk());
    EXPECT_EQ(CountEvents(audit::kTamperFound), 1U);
    EXPECT_THAT(store_->Read([](const store::Transaction& tx) -> Status {
      COMITY_ASSIGN_OR_RETURN(const auto stops, tx.stops().Standing());
      EXPECT_THAT(stops, SizeIs(1));
      return {};
    }),
                IsOk());
    AnotherNode();
  }
}

TEST_F(BoundStart, AuthenticatorsThatWereTakenFromACopyAreTold) {
  PutBack(BoundCopy(), "DELETE FROM stop; DELETE FROM table_binding");
  ASSERT_THAT(Start(), IsOk());
  EXPECT_EQ(CountEvents(audit::kTamperFound), 3U);
}

// A backup of before the tables were bound has none.
TEST_F(BoundStart, ACopyOfBeforeTheyWereBoundIsBoundWithoutAWord) {
  BarsWorld::MustOpenAll();
  SetStop("stop-1");
  const auto copy = CopyNow();
  ASSERT_THAT(Start(), IsOk());
  SetStop("stop-2");
  PutBack(copy, "");
  ASSERT_THAT(Start(), IsOk());
  EXPECT_EQ(CountEvents(audit::kTamperFound), 0U);
}

}  // namespace
}  // namespace comity::oversight
