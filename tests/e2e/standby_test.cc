// SPDX-License-Identifier: Apache-2.0
// Two gateways of one agency over one PostgreSQL database: one works, the other one waits and takes
// over when the first is killed, as often as COMITY_CRASH_KILLS says (3); and a database server
// that is killed under a gateway which goes on. Nothing that was acknowledged is lost, and nothing
// is decided twice.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <thread>

#include "services/audit/events.h"
#include "services/runtime/clock_record.h"
#include "tests/e2e/exported_log.h"
#include "tests/e2e/gateway_process.h"
#include "tests/e2e/live_engine.h"
#include "tests/e2e/two_agencies.h"
#include "tests/support/postgres/postgres_server.h"
#include "tests/support/postgres/test_database.h"
#include "tests/support/result_matchers.h"

namespace comity::testing {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr std::size_t kEntries = 20;
constexpr std::uint64_t kHitsBetween = 20;  // before the next kill

int KillsWanted() {
  const char* text = std::getenv("COMITY_CRASH_KILLS");
  return text == nullptr ? 3 : std::clamp(std::atoi(text), 1, 50);
}

bool WaitFor(seconds patience, const auto& holds) {
  const auto end = steady_clock::now() + patience;
  while (!holds()) {
    if (steady_clock::now() > end) return false;
    std::this_thread::sleep_for(milliseconds(10));
  }
  return true;
}

std::unique_ptr<PostgresServer> DurableServer() {
  auto server = PostgresServer::Start({true, {}, {}});
  EXPECT_THAT(server, IsOk());
  return *std::move(server);
}

class Standby : public ::testing::Test {
 protected:
  void SetUp() override {
    agencies_.ImportEntries(kEntries);
    deployment_ = agencies_.CreateDeployment();
    agencies_.police().Stop();
    agencies_.council().Stop();
    ASSERT_TRUE(police_[0].Start()) << police_[0].log();
    ASSERT_TRUE(council_.Start()) << council_.log();
    engine_.emplace([this] { return council_.engine(); }, agencies_.entries());
    engine_->Start(deployment_);
    ASSERT_TRUE(SeesHits(kHitsBetween)) << police_[0].log() << council_.log();
  }

  bool SeesHits(std::uint64_t further) {
    const std::uint64_t wanted = engine_->told().hits + further;
    return WaitFor(seconds(30), [&] { return engine_->told().hits >= wanted; });
  }

  // What the engine was told is in both logs, once, as an auditor gets and verifies them.
  void CheckRecords() {
    engine_->Stop();
    const LiveEngine::Told told = engine_->told();
    for (GatewayProcess* process : {&police_[0], &police_[1], &council_}) {
      if (process->IsRunning()) static_cast<void>(process->Stop(seconds(10)));
    }
    agencies_.police().Start({&agencies_.council()});
    agencies_.council().Start({&agencies_.police()});
    const auto holder = WholeLog::Of(agencies_.police());
    const auto requester = WholeLog::Of(agencies_.council());
    ASSERT_THAT(holder, IsOk());
    ASSERT_THAT(requester, IsOk());
    for (const auto& [exchange, alert] : told.alert_of) {
      const auto raised = requester->MessageOf(audit::kAlertRaised, exchange, "answer");
      const auto answered = holder->MessageOf(audit::kSearchHit, exchange, "answer");
      ASSERT_TRUE(raised.has_value()) << "no entry of the alert of " << exchange;
      ASSERT_TRUE(answered.has_value()) << "the holder has no entry of the hit of " << exchange;
      EXPECT_EQ(*raised, *answered) << exchange;
    }
    EXPECT_GE(holder->Sum(audit::kCapacityReserved, "amount"), told.alert_of.size());
  }

  std::unique_ptr<PostgresServer> server_ = DurableServer();
  TestDatabase database_{*server_};
  TwoAgencies agencies_{
      128, [this](AgreementText&, LiveAgency& police, LiveAgency&) {
        police.Configure("[store]\nurl = \"" + database_.Url("comity_gateway") + "\"\n");
      }};
  std::array<GatewayProcess, 2> police_{GatewayProcess(agencies_.police(), "first.log"),
                                        GatewayProcess(agencies_.police(), "second.log")};
  GatewayProcess council_{agencies_.council()};
  std::string deployment_;
  std::optional<LiveEngine> engine_;  // last: it ends before what it shows faces to
};

TEST_F(Standby, TakesOverWhoeverWorksIsKilledAndTheStreamsGoOn) {
  std::size_t working = 0;
  for (int kills = KillsWanted(); kills > 0; --kills) {
    GatewayProcess& next = police_[1 - working];
    ASSERT_TRUE(next.Begin());
    ASSERT_TRUE(WaitFor(seconds(10), [&] {
      return next.log().rfind("gateway-waits") != std::string::npos;
    })) << next.log();
    ASSERT_TRUE(SeesHits(kHitsBetween));
    const std::string before = next.log();
    police_[working].Kill();
    const auto killed = steady_clock::now();
    ASSERT_TRUE(next.AwaitListening()) << next.log();
    const auto gap = std::chrono::duration_cast<milliseconds>(steady_clock::now() - killed);
    EXPECT_LT(gap, seconds(5));
    RecordProperty("hand_over_ms", std::to_string(gap.count()));
    ASSERT_TRUE(SeesHits(kHitsBetween)) << next.log() << council_.log();
    working = 1 - working;
  }
  CheckRecords();
}

// What the one that worked wrote last is a day behind: the clock of this machine was set.
TEST_F(Standby, IsRefusedItsTurnByAClockThatWasSetWhileItWaited) {
  GatewayProcess& waiting = police_[1];
  ASSERT_TRUE(waiting.Begin());
  ASSERT_TRUE(WaitFor(seconds(10), [&] {
    return waiting.log().find("gateway-waits") != std::string::npos;
  })) << waiting.log();
  const std::filesystem::path file = agencies_.police().data() / "clock";
  auto record = runtime::LoadClockRecord(file);
  ASSERT_THAT(record, IsOk());
  record->now -= std::chrono::hours(24);
  ASSERT_THAT(runtime::SaveClockRecord(file, *record), IsOk());
  police_[0].Kill();
  EXPECT_TRUE(WaitFor(seconds(10), [&] { return !waiting.IsRunning(); })) << waiting.log();
  EXPECT_THAT(waiting.log(), AllOf(HasSubstr("--accept-clock"), Not(HasSubstr("listens on"))));
  engine_->Stop();
}

TEST_F(Standby, WaitsWithoutAPortAndEndsWhenItIsToldTo) {
  GatewayProcess& waiting = police_[1];
  ASSERT_TRUE(waiting.Begin());
  ASSERT_TRUE(WaitFor(seconds(10), [&] {
    return waiting.log().find("gateway-waits") != std::string::npos;
  })) << waiting.log();
  std::this_thread::sleep_for(milliseconds(500));
  EXPECT_TRUE(waiting.IsRunning());
  EXPECT_THAT(waiting.log(), Not(HasSubstr("listens on")));
  EXPECT_EQ(waiting.Stop(seconds(3)), 0) << waiting.log();
  ASSERT_TRUE(SeesHits(kHitsBetween));
  CheckRecords();
}

TEST_F(Standby, ADatabaseServerThatIsKilledLosesNothingAndTheGatewayGoesOn) {
  for (int kills = KillsWanted(); kills > 0; --kills) {
    server_->Kill();
    ASSERT_THAT(server_->StartAgain(), IsOk()) << server_->Log();
    ASSERT_TRUE(SeesHits(kHitsBetween)) << police_[0].log() << council_.log();
  }
  EXPECT_TRUE(police_[0].IsRunning());
  CheckRecords();
}

}  // namespace
}  // namespace comity::testing
