// SPDX-License-Identifier: Apache-2.0
// What becomes of units of work when the line to the database is lost, at each moment of a commit,
// and when another store takes over meanwhile.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "services/store/postgres/postgres_store.h"
#include "tests/support/postgres/line_cutter.h"
#include "tests/support/postgres/test_database.h"
#include "tests/support/result_matchers.h"

namespace comity::store {
namespace {

using std::chrono::steady_clock;
using ::testing::ElementsAre;
using testing::FailsWith;
using ::testing::HasSubstr;
using testing::IsOk;
using testing::LineCutter;
using Cut = LineCutter::Cut;

constexpr std::chrono::milliseconds kPatience{3000};

Status Append(Store& store, const std::string& text) {
  return store.Write([&](Transaction& t) -> Status {
    COMITY_RETURN_IF_ERROR(t.audit().Append(AsBytes(text), "", {ToBytes("key"), ToBytes("x")}));
    return {};
  });
}

std::vector<std::string> Entries(const Store& store) {
  std::vector<std::string> texts;
  EXPECT_THAT(store.Read([&](const Transaction& t) -> Status {
    COMITY_ASSIGN_OR_RETURN(const std::uint64_t size, t.audit().Size());
    COMITY_ASSIGN_OR_RETURN(const auto entries, t.audit().Read(0, size));
    for (const AuditEntryRecord& entry : entries) texts.emplace_back(AsText(entry.entry));
    return {};
  }),
              IsOk());
  return texts;
}

class PostgresLine : public ::testing::Test {
 protected:
  void SetUp() override {
    auto cutter = LineCutter::Start(database_.server().port());
    ASSERT_THAT(cutter, IsOk());
    cutter_ = *std::move(cutter);
    auto store = OpenPostgresStore(FarOptions());
    ASSERT_THAT(store, IsOk());
    store_ = *std::move(store);
    ASSERT_THAT(Append(*store_, "first"), IsOk());
  }
  // Through the proxy.
  PostgresOptions FarOptions() {
    PostgresOptions options = database_.options();
    options.url = database_.server().UrlOfPort("comity_gateway", database_.name(), cutter_->port());
    options.patience = kPatience;
    options.stop = stop_.get_token();
    options.on_superseded = [this](const Error& error) {
      ++told_;
      end_ = error;
    };
    return options;
  }
  std::unique_ptr<PostgresStore> OpenAnother() {
    auto store = OpenPostgresStore(database_.options());
    EXPECT_THAT(store, IsOk());
    return *std::move(store);
  }
  void ExpectSuperseded(ErrorCode code) {
    EXPECT_TRUE(store_->superseded());
    EXPECT_EQ(told_, 1);
    EXPECT_EQ(end_.code, code) << end_.detail;
    EXPECT_THAT(Append(*store_, "too late"), FailsWith(code));
    EXPECT_EQ(told_, 1);
  }

  const testing::TestDatabase database_;
  std::unique_ptr<LineCutter> cutter_;
  std::stop_source stop_;
  std::atomic<int> told_{0};
  Error end_;
  std::unique_ptr<PostgresStore> store_;
};

TEST_F(PostgresLine, IsMadeAnewForTheNextUnitAndTheNextRead) {
  EXPECT_THAT(Entries(*store_), ElementsAre("first"));
  cutter_->CutAll();
  std::this_thread::sleep_for(std::chrono::milliseconds(100));  // until both sides have noticed
  EXPECT_THAT(Entries(*store_), ElementsAre("first"));
  EXPECT_THAT(Append(*store_, "second"), IsOk());
  EXPECT_THAT(Entries(*store_), ElementsAre("first", "second"));
  EXPECT_FALSE(store_->superseded());
}

TEST_F(PostgresLine, KeepsNothingOfAUnitWhoseCommitTheServerDidNotHear) {
  cutter_->Arm(Cut::kBeforeCommit);
  EXPECT_THAT(Append(*store_, "lost"), FailsWith(ErrorCode::kUnavailable));
  EXPECT_EQ(cutter_->commits_met(), 1);
  EXPECT_THAT(Append(*store_, "second"), IsOk());
  EXPECT_THAT(Entries(*store_), ElementsAre("first", "second"));
  EXPECT_FALSE(store_->superseded());
}

TEST_F(PostgresLine, AcknowledgesAUnitWhoseAnswerWasLostOnceItIsFound) {
  cutter_->Arm(Cut::kAfterCommit);
  EXPECT_THAT(Append(*store_, "kept"), IsOk());
  EXPECT_EQ(cutter_->commits_met(), 1);
  EXPECT_THAT(Append(*store_, "third"), IsOk());
  EXPECT_THAT(Entries(*store_), ElementsAre("first", "kept", "third"));
  EXPECT_FALSE(store_->superseded());
}

TEST_F(PostgresLine, EndsTheSessionThatStillWaitsForItsCommit) {
  cutter_->Arm(Cut::kSwallowCommit);
  const auto begin = steady_clock::now();
  EXPECT_THAT(Append(*store_, "lost"), FailsWith(ErrorCode::kUnavailable));
  EXPECT_LT(steady_clock::now() - begin, 2 * kPatience);
  EXPECT_EQ(cutter_->commits_met(), 1);
  EXPECT_THAT(Append(*store_, "second"), IsOk());
  EXPECT_THAT(Entries(*store_), ElementsAre("first", "second"));
}

TEST_F(PostgresLine, FindsACommitWhoseAnswerNeverComes) {
  cutter_->Arm(Cut::kSwallowAnswer);
  EXPECT_THAT(Append(*store_, "kept"), IsOk());
  EXPECT_EQ(cutter_->commits_met(), 1);
  EXPECT_THAT(Entries(*store_), ElementsAre("first", "kept"));
}

TEST_F(PostgresLine, WaitsForTheServerToComeBack) {
  cutter_->Arm(Cut::kAfterCommit, /*stay_down=*/true);
  const std::jthread repair([this] {
    std::this_thread::sleep_for(kPatience / 3);
    cutter_->SetDown(false);
  });
  EXPECT_THAT(Append(*store_, "kept"), IsOk());
  EXPECT_THAT(Entries(*store_), ElementsAre("first", "kept"));
}

TEST_F(PostgresLine, IsTheEndOfAStoreThatCannotLearnWhatBecameOfACommit) {
  cutter_->Arm(Cut::kAfterCommit, /*stay_down=*/true);
  const auto begin = steady_clock::now();
  const Status status = Append(*store_, "kept, but who knows");
  EXPECT_THAT(status, FailsWith(ErrorCode::kUnavailable));
  EXPECT_THAT(status.error().detail, HasSubstr("not known whether the last commit was kept"));
  EXPECT_LT(steady_clock::now() - begin, kPatience + std::chrono::seconds(2));
  cutter_->SetDown(false);
  ExpectSuperseded(ErrorCode::kUnavailable);
}

// A replica that the server must wait for, and that is not there, until the object ends.
class MissingReplica {
 public:
  explicit MissingReplica(const testing::TestDatabase& database) : database_(database) {
    Set("a_replica_that_is_not_there");
  }
  ~MissingReplica() { Set(""); }

 private:
  void Set(const std::string& names) const {
    database_.Ask("ALTER SYSTEM SET synchronous_standby_names = '" + names + "'");
    database_.Ask("SELECT pg_reload_conf()");
    while (database_.Ask("SHOW synchronous_standby_names") != names) {
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    // The checkpointer tells all sessions that there is somebody to wait for.
    std::this_thread::sleep_for(std::chrono::milliseconds(500));
  }

  const testing::TestDatabase& database_;
};

// The server ends the wait of a session that is ended, and shows its commit to others.
TEST_F(PostgresLine, AcknowledgesNothingThatWaitsForAReplica) {
  store_.reset();
  PostgresOptions options = FarOptions();
  options.call_timeout = std::chrono::milliseconds(500);
  store_ = OpenPostgresStore(options).value();
  ASSERT_THAT(Append(*store_, "second"), IsOk());
  const MissingReplica missing(database_);
  EXPECT_THAT(Append(*store_, "on one disk only"), FailsWith(ErrorCode::kUnavailable));
  EXPECT_TRUE(store_->superseded()) << "it cannot know what became of the commit";
}

TEST_F(PostgresLine, FailsUnitsAfterItsPatienceAndServesThemWhenTheServerIsBack) {
  cutter_->SetDown(true);
  cutter_->CutAll();
  const auto begin = steady_clock::now();
  EXPECT_THAT(Append(*store_, "a"), FailsWith(ErrorCode::kUnavailable));
  EXPECT_GT(steady_clock::now() - begin, kPatience / 2);
  const auto after = steady_clock::now();
  EXPECT_THAT(Append(*store_, "b"), FailsWith(ErrorCode::kUnavailable));
  EXPECT_LT(steady_clock::now() - after, kPatience / 2);
  cutter_->SetDown(false);
  std::this_thread::sleep_for(std::chrono::milliseconds(1100));  // until it knocks again
  EXPECT_THAT(Append(*store_, "second"), IsOk());
  EXPECT_THAT(Entries(*store_), ElementsAre("first", "second"));
}

TEST_F(PostgresLine, StopsWaitingWhenItIsToStop) {
  cutter_->SetDown(true);
  cutter_->CutAll();
  const std::jthread stopper([this] {
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
    stop_.request_stop();
  });
  const auto begin = steady_clock::now();
  EXPECT_THAT(Append(*store_, "a"), FailsWith(ErrorCode::kUnavailable));
  EXPECT_LT(steady_clock::now() - begin, kPatience / 2);
}

TEST_F(PostgresLine, CutsACallThatIsNotAnsweredAfterTheStop) {
  store_.reset();
  PostgresOptions options = FarOptions();
  options.patience = std::chrono::minutes(10);
  store_ = OpenPostgresStore(options).value();
  cutter_->Arm(Cut::kSwallowAnswer, /*stay_down=*/true);
  const std::jthread stopper([this] {
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
    stop_.request_stop();
  });
  const auto begin = steady_clock::now();
  EXPECT_THAT(Append(*store_, "a"), FailsWith(ErrorCode::kUnavailable));
  EXPECT_LT(steady_clock::now() - begin, std::chrono::seconds(5));
}

TEST_F(PostgresLine, GivesWayToAStoreThatTookOverWhileItsLineWasDown) {
  cutter_->SetDown(true);
  cutter_->CutAll();
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  const auto other = OpenAnother();
  ASSERT_THAT(Append(*other, "of the other"), IsOk());
  cutter_->SetDown(false);
  EXPECT_THAT(Append(*store_, "a"), FailsWith(ErrorCode::kUnavailable));
  ExpectSuperseded(ErrorCode::kUnavailable);
  EXPECT_THAT(Append(*other, "more"), IsOk());
  EXPECT_THAT(Entries(*other), ElementsAre("first", "of the other", "more"));
}

TEST_F(PostgresLine, GivesWayToAStoreThatHasEndedAgain) {
  cutter_->SetDown(true);
  cutter_->CutAll();
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  OpenAnother().reset();
  cutter_->SetDown(false);
  EXPECT_THAT(Append(*store_, "a"), FailsWith(ErrorCode::kUnavailable));
  ExpectSuperseded(ErrorCode::kUnavailable);
}

TEST_F(PostgresLine, DoesNotClaimToKnowACommitAfterAnotherTookOver) {
  for (const Cut cut : {Cut::kBeforeCommit, Cut::kAfterCommit}) {
    cutter_->Arm(cut, /*stay_down=*/true);
    Status status;
    std::jthread writer([&] { status = Append(*store_, "in doubt"); });
    std::this_thread::sleep_for(std::chrono::milliseconds(500));
    OpenAnother().reset();
    cutter_->SetDown(false);
    writer.join();
    EXPECT_THAT(status, FailsWith(ErrorCode::kUnavailable));
    EXPECT_THAT(status.error().detail, HasSubstr("not known"));
    ExpectSuperseded(ErrorCode::kUnavailable);
    told_ = 0;
    store_.reset();
    store_ = OpenPostgresStore(FarOptions()).value();
  }
  EXPECT_THAT(Entries(*store_), ElementsAre("first", "in doubt"));
}

TEST_F(PostgresLine, RefusesADatabaseThatWasPutBack) {
  cutter_->SetDown(true);
  cutter_->CutAll();
  database_.Ask("UPDATE comity.writer_commit SET number = number - 1");
  cutter_->SetDown(false);
  const Status status = Append(*store_, "a");
  EXPECT_THAT(status, FailsWith(ErrorCode::kCorrupt));
  EXPECT_THAT(status.error().detail, HasSubstr("put back"));
  ExpectSuperseded(ErrorCode::kCorrupt);
}

TEST_F(PostgresLine, NoticesCommitsOfOthersOnAGoodLine) {
  database_.Ask("UPDATE comity.writer_commit SET number = number + 1");
  EXPECT_THAT(Append(*store_, "a"), FailsWith(ErrorCode::kUnavailable));
  ExpectSuperseded(ErrorCode::kUnavailable);
}

TEST_F(PostgresLine, NoticesADatabaseThatWasPutBackOnAGoodLine) {
  database_.Ask("UPDATE comity.writer_commit SET number = number - 1");
  EXPECT_THAT(Append(*store_, "a"), FailsWith(ErrorCode::kCorrupt));
  ExpectSuperseded(ErrorCode::kCorrupt);
}

// What one writer was told: the units that were kept, and why others failed.
struct Told {
  std::set<std::string> kept;
  std::map<std::string, std::string> failed;
};

void WriteUntilStopped(Store& store, const std::stop_token& stop, const std::string& prefix,
                       Told& told) {
  for (int i = 0; !stop.stop_requested(); ++i) {
    const std::string text = prefix + "-" + std::to_string(i);
    const Status status = Append(store, text);
    if (status) {
      told.kept.insert(text);
    } else {
      told.failed[text] = status.error().detail;
    }
  }
}

// Many writers share groups while the line breaks at all moments, also when it is being made anew:
// what was acknowledged is there once, what failed is not.
TEST_F(PostgresLine, LosesAndDoublesNothingWhenItBreaksAgainAndAgain) {
  std::array<Told, 4> told;
  {
    std::vector<std::jthread> writers;
    for (std::size_t w = 0; w < told.size(); ++w) {
      writers.emplace_back([&, w](const std::stop_token& stop) {
        WriteUntilStopped(*store_, stop, std::to_string(w), told[w]);
      });
    }
    const auto seed = std::random_device()();
    std::printf("seed %u\n", seed);
    std::mt19937 random(seed);
    for (int i = 0; i < 40; ++i) {
      if (i % 4 == 3) {
        cutter_->CutAll();
      } else {
        cutter_->Arm(i % 4 == 1 ? Cut::kBeforeCommit : Cut::kAfterCommit);
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(random() % 100));
    }
  }
  EXPECT_FALSE(store_->superseded());
  EXPECT_GT(cutter_->commits_met(), 10);
  const auto entries = Entries(*store_);
  std::multiset<std::string> expected = {"first"};
  for (const Told& of_writer : told) {
    expected.insert(of_writer.kept.begin(), of_writer.kept.end());
    for (const auto& [text, reason] : of_writer.failed) {
      EXPECT_EQ(std::ranges::count(entries, text), 0) << text << " was kept: " << reason;
    }
  }
  EXPECT_EQ(std::multiset<std::string>(entries.begin(), entries.end()), expected);
  std::printf("%zu units acknowledged\n", expected.size());
}

}  // namespace
}  // namespace comity::store
