// SPDX-License-Identifier: Apache-2.0
// Somebody writes to a gateway's database behind its back: what two people decided is not changed
// by it, and those who oversee learn of it.
#include <SQLiteCpp/SQLiteCpp.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <thread>

#include "crypto/base/encoding.h"
#include "crypto/hash/sha256.h"
#include "services/audit/events.h"
#include "services/cli/node_concerns.h"
#include "services/runtime/file.h"
#include "tests/integration/direct_search_world.h"
#include "tests/integration/exported_log.h"
#include "tests/support/result_matchers.h"

namespace comity::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::Contains;
using ::testing::Field;
using ::testing::HasSubstr;

void Execute(const LiveAgency& agency, const std::string& sql) {
  SQLite::Database(agency.data() / "comity.db", SQLite::OPEN_READWRITE, 5000).exec(sql);
}

bool Eventually(const std::function<bool()>& holds) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(40);
  while (std::chrono::steady_clock::now() < deadline) {
    if (holds()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  return false;
}

class BoundTables : public DirectSearchWorld {
 protected:
  void SetUp() override {
    DirectSearchWorld::SetUp();
    Agree();
    ImportEntries(10);
    deployment_ = StartDeployment(Definition()).deployment();
  }
  void SetStop() {
    grpc::ClientContext context;
    v1::SetStopRequest request;
    v1::Stop stop;
    request.set_scope(v1::STOP_SCOPE_PARTNER);
    request.set_reference(police_.name());
    request.set_reason("A complaint is being looked into.");
    const grpc::Status status = council_.stops()->Set(&context, request, &stop);
    ASSERT_TRUE(status.ok()) << status.error_message();
  }
  void Restart() {
    council_.Stop();
    ASSERT_THAT(council_.Restart(), IsOk());
  }
  // What the program's log, the audit log, the notices and `comity status` say of the table.
  void ExpectTold(const std::string& table) {
    EXPECT_THAT(council_.log_text(), HasSubstr("tamper-found"));
    const auto found = ExportLog(council_).OfType(audit::kTamperFound);
    ASSERT_EQ(found.size(), 1U);
    grpc::ClientContext context;
    v1::ListNoticesResponse notices;
    ASSERT_TRUE(
        council_.notices("supervisor-1")->List(&context, v1::ListNoticesRequest(), &notices).ok());
    EXPECT_THAT(notices.DebugString(), HasSubstr("tamper-found"));
    grpc::ClientContext asked;
    v1::NodeStatusResponse status;
    ASSERT_TRUE(
        council_.node("supervisor-1")->Status(&asked, v1::NodeStatusRequest(), &status).ok());
    EXPECT_THAT(cli::ConcernsOf(status, false),
                Contains(Field(&cli::Concern::words, HasSubstr("table " + table))));
  }
  v1::WatchAnswer AskOnce() {
    auto engine = Watch(deployment_);
    return Ask(*engine, 1, entries_[0]);
  }

  // Whether an engine can open a stream in the deployment.
  bool IsServed() { return EngineClient::Open(council_.engine(), deployment_, clock_).has_value(); }

  std::string deployment_;
};

TEST_F(BoundTables, StandUntouchedAcrossARestart) {
  SetStop();
  Restart();
  EXPECT_EQ(AskOnce().refused().code(), v1::DECISION_CODE_STOPPED);
  EXPECT_EQ(ExportLog(council_).Count(audit::kTamperFound), 0U);
}

TEST_F(BoundTables, AStopThatWasTakenAwayStopsEverything) {
  SetStop();
  council_.Stop();
  Execute(council_, "DELETE FROM stop");
  ASSERT_THAT(council_.Restart(), IsOk());
  EXPECT_EQ(AskOnce().refused().code(), v1::DECISION_CODE_STOPPED);
  ExpectTold("stop");
}

TEST_F(BoundTables, AStopThatIsTakenAwayInTheRunningGatewayStopsEverything) {
  EXPECT_TRUE(AskOnce().has_answered());
  Execute(council_,
          "INSERT INTO stop (id, scope, reference, set_by, reason, regulator, set_at, lifted_by,"
          " lift_reason, lifted_at) VALUES ('stop-x', 4, 'another', 'eve', 'x', '', 1, '', '', 0)");
  EXPECT_TRUE(Eventually([&] { return AskOnce().refused().code() == v1::DECISION_CODE_STOPPED; }));
  ExpectTold("stop");
}

TEST_F(BoundTables, ADeploymentThatWasProlongedIsNone) {
  EXPECT_TRUE(AskOnce().has_answered());
  council_.Stop();
  Execute(council_, "UPDATE deployment SET ends_at = ends_at + 86400000000");
  ASSERT_THAT(council_.Restart(), IsOk());
  EXPECT_FALSE(IsServed());
  ExpectTold("deployment");
}

TEST_F(BoundTables, ADeploymentThatIsProlongedInTheRunningGatewayEnds) {
  auto engine = Watch(deployment_);
  EXPECT_TRUE(Ask(*engine, 1, entries_[0]).has_answered());
  Execute(council_, "UPDATE deployment SET ends_at = ends_at + 86400000000");
  EXPECT_TRUE(Eventually([&] { return !IsServed(); }));
  // The stream that was open, too.
  EXPECT_FALSE(engine->Receive().has_value());
  ExpectTold("deployment");
}

// A counter is bound by the log: what was used is not got back by writing into the database.
TEST_F(BoundTables, ACounterOfCapacityThatWasLoweredGivesNothingMore) {
  EXPECT_TRUE(AskOnce().has_answered());
  council_.Stop();
  Execute(council_, "DELETE FROM capacity");
  ASSERT_THAT(council_.Restart(), IsOk());
  const v1::WatchAnswer answer = AskOnce();
  EXPECT_EQ(answer.refused().code(), v1::DECISION_CODE_STATE_UNREADABLE) << answer.DebugString();
  ExpectTold("capacity");
}

// The authenticators taken away, so that a start would bind what is there now.
TEST_F(BoundTables, AreNotBoundAnewBecauseTheirAuthenticatorsAreGone) {
  SetStop();
  council_.Stop();
  Execute(council_, "DELETE FROM stop; DELETE FROM table_binding");
  const Status started = council_.Restart();
  EXPECT_THAT(started, FailsWith(ErrorCode::kCorrupt));
  EXPECT_THAT(started.error().detail, HasSubstr("restoration"));
}

// An older state of a table with the gateway's own authenticator, put back while it is down: the
// erasure ledger knows better.
TEST_F(BoundTables, AnOlderStateThatWasPutBackBetweenTwoRunsIsFound) {
  council_.Stop();
  Execute(council_, "CREATE TABLE kept AS SELECT * FROM table_binding");
  ASSERT_THAT(council_.Restart(), IsOk());
  SetStop();
  council_.Stop();
  Execute(council_,
          "DELETE FROM stop; UPDATE table_binding SET (generation, mac) ="
          " (SELECT generation, mac FROM kept WHERE name = 'stop') WHERE name = 'stop'");
  ASSERT_THAT(council_.Restart(), IsOk());
  EXPECT_EQ(AskOnce().refused().code(), v1::DECISION_CODE_STOPPED);
  ExpectTold("stop");
}

// What a former version left has no authenticators; the first start binds it and says so.
TEST_F(BoundTables, OfAFormerSchemaAreBoundAtTheFirstStart) {
  SetStop();
  const std::size_t before = ExportLog(council_).Count(audit::kTablesBound);
  council_.Stop();
  Execute(council_, "DROP TABLE table_binding; DELETE FROM schema_version WHERE version = 16");
  // The ledgers of a former version know nothing of it.
  for (const fs::path& folder : {council_.data(), council_.ledger()}) {
    for (const auto& file : fs::recursive_directory_iterator(folder)) {
      if (file.path().filename() == "ledger") fs::remove(file.path());
    }
  }
  Execute(council_, "DELETE FROM erasure_head");
  ASSERT_THAT(council_.Restart(), IsOk());
  EXPECT_EQ(AskOnce().refused().code(), v1::DECISION_CODE_STOPPED);
  EXPECT_EQ(ExportLog(council_).Count(audit::kTablesBound), before + 1);
  Restart();
  EXPECT_EQ(ExportLog(council_).Count(audit::kTablesBound), before + 1);
  EXPECT_EQ(ExportLog(council_).Count(audit::kTamperFound), 0U);
}

// That two administrators acknowledged the configuration is not said by whoever writes to the
// database.
class AcknowledgedConfiguration : public ::testing::Test {
 protected:
  void SetUp() override {
    agency_.Start({});
    ASSERT_TRUE(IsAcknowledged()) << "the one that it was set up by";
    agency_.Stop();
  }
  bool IsAcknowledged() {
    grpc::ClientContext context;
    v1::NodeStatusResponse status;
    EXPECT_TRUE(agency_.node("admin-1")->Status(&context, v1::NodeStatusRequest(), &status).ok());
    return status.configuration_acknowledged();
  }
  // Another configuration than before.
  std::string Change() {
    agency_.Configure("# changed\n");
    agency_.WriteConfig();
    const auto text = runtime::ReadTextFile(agency_.config_file(), 1 << 20);
    EXPECT_THAT(text, IsOk());
    return EncodeHex(hash::Sha256(AsBytes(*text)).view());
  }
  std::size_t Notices() {
    grpc::ClientContext context;
    v1::ListNoticesResponse notices;
    EXPECT_TRUE(
        agency_.notices("admin-1")->List(&context, v1::ListNoticesRequest(), &notices).ok());
    return static_cast<std::size_t>(
        std::ranges::count(notices.notices(), "configuration-changed", &v1::Notice::kind));
  }

  LiveAgency agency_{"northshire-police"};
};

TEST_F(AcknowledgedConfiguration, IsNotMadeByWritingIntoTheDatabase) {
  const std::string changed = Change();
  Execute(agency_, "UPDATE setting SET value = '" + changed +
                       "' WHERE name = 'configuration-acknowledged';"
                       "INSERT INTO setting VALUES ('configuration-noticed', '" +
                       changed + "')");
  ASSERT_THAT(agency_.Restart(), IsOk());
  EXPECT_FALSE(IsAcknowledged());
  EXPECT_EQ(Notices(), 1U);
}

TEST_F(AcknowledgedConfiguration, IsNotTheFirstOneBecauseTheDatabaseForgotIt) {
  Change();
  Execute(agency_, "DELETE FROM setting");
  ASSERT_THAT(agency_.Restart(), IsOk());
  EXPECT_FALSE(IsAcknowledged());
  EXPECT_EQ(Notices(), 1U);
}

TEST_F(AcknowledgedConfiguration, IsToldOfEachTimeAnotherOneComes) {
  const auto start_with = [&](const std::string& settings) {
    agency_.Stop();
    agency_.Configure(settings);
    agency_.Start({});
  };
  start_with("# changed\n");
  EXPECT_EQ(Notices(), 1U);
  start_with("# changed\n");
  EXPECT_EQ(Notices(), 1U) << "the same once";
  start_with("");
  EXPECT_TRUE(IsAcknowledged());
  start_with("# changed\n");
  EXPECT_FALSE(IsAcknowledged());
  EXPECT_EQ(Notices(), 2U);
}

TEST_F(AcknowledgedConfiguration, StaysSoAcrossARestart) {
  ASSERT_THAT(agency_.Restart(), IsOk());
  EXPECT_TRUE(IsAcknowledged());
  EXPECT_EQ(Notices(), 0U);
}

}  // namespace
}  // namespace comity::testing
