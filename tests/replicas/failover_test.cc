// SPDX-License-Identifier: Apache-2.0
// Two gateways of a police force over PostgreSQL with replicas (Debian's Patroni, etcd and
// haproxy), searched by a council's engine without a pause: the machine of the primary dies, the
// primary is handed over as planned, and a gateway alone loses its line to the database. Nothing
// that was acknowledged is lost or kept twice, and the engine's search goes on.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include "services/audit/events.h"
#include "services/runtime/file.h"
#include "tests/e2e/exported_log.h"
#include "tests/e2e/gateway_process.h"
#include "tests/e2e/live_engine.h"
#include "tests/e2e/two_agencies.h"
#include "tests/support/postgres/line_cutter.h"
#include "tests/support/postgres/patroni_cluster.h"
#include "tests/support/postgres/postgres_server.h"
#include "tests/support/postgres/test_database.h"
#include "tests/support/result_matchers.h"

namespace comity::testing {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;
using ::testing::HasSubstr;

constexpr std::size_t kEntries = 20;
constexpr std::uint64_t kHitsBetween = 50;

bool WaitFor(seconds patience, const auto& holds) {
  const auto end = steady_clock::now() + patience;
  while (!holds()) {
    if (steady_clock::now() > end) return false;
    std::this_thread::sleep_for(milliseconds(10));
  }
  return true;
}

// The longest time in which an engine was told of no hit, from its making to Stop().
class GapMeter {
 public:
  explicit GapMeter(const LiveEngine& engine)
      : thread_([this, &engine](const std::stop_token& stop) {
          std::uint64_t hits = engine.told().hits;
          auto last = steady_clock::now();
          while (!stop.stop_requested()) {
            std::this_thread::sleep_for(milliseconds(5));
            const std::uint64_t now = engine.told().hits;
            longest_ = std::max(longest_, steady_clock::now() - last);
            if (now != hits) last = steady_clock::now();
            hits = now;
          }
        }) {}
  // Says it, for docs/performance.md.
  double Stop(const std::string& what) {
    thread_.request_stop();
    thread_.join();
    const double gap = std::chrono::duration<double>(longest_).count();
    std::printf("%s: no hit for %.1f s\n", what.c_str(), gap);
    std::fflush(stdout);
    return gap;
  }

 private:
  steady_clock::duration longest_{};
  std::jthread thread_;  // last: uses the other
};

// What the engine was told is in both logs, once, as an auditor gets and verifies them, and the
// counters of the holder's database, which `reserved` asks for, are what its log says.
void CheckRecords(TwoAgencies& agencies, LiveEngine& engine, const auto& reserved) {
  engine.Stop();
  const LiveEngine::Told told = engine.told();
  ASSERT_GE(told.alert_of.size(), kHitsBetween);
  agencies.police().Start({&agencies.council()});
  agencies.council().Start({&agencies.police()});
  const auto holder = WholeLog::Of(agencies.police());
  const auto requester = WholeLog::Of(agencies.council());
  ASSERT_THAT(holder, IsOk());
  ASSERT_THAT(requester, IsOk());
  for (const auto& [exchange, alert] : told.alert_of) {
    const auto raised = requester->MessageOf(audit::kAlertRaised, exchange, "answer");
    const auto answered = holder->MessageOf(audit::kSearchHit, exchange, "answer");
    ASSERT_TRUE(raised.has_value()) << "no entry of the alert of " << exchange;
    ASSERT_TRUE(answered.has_value()) << "the holder has no entry of the hit of " << exchange;
    EXPECT_EQ(*raised, *answered) << exchange;
  }
  const std::uint64_t logged = holder->Sum(audit::kCapacityReserved, "amount");
  EXPECT_GE(logged, told.alert_of.size());
  EXPECT_EQ(reserved(), std::to_string(logged));
}

constexpr const char* kReserved = "SELECT sum(reserved) FROM comity.capacity";

bool Waits(const GatewayProcess& gateway) {
  return WaitFor(seconds(10),
                 [&] { return gateway.log().rfind("gateway-waits") != std::string::npos; });
}

class Failover : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    auto started = PatroniCluster::Start();
    ASSERT_THAT(started, IsOk());
    cluster_ = *std::move(started);
  }
  static void TearDownTestSuite() { cluster_.reset(); }

  using UrlOf = std::string (PatroniCluster::*)(std::string_view, std::string_view) const;

  void Begin(const std::string& database, UrlOf url_of) {
    database_ = database;
    cluster_->MakeDatabase(database);
    const auto url = [&](const char* role) { return ((*cluster_).*url_of)(role, database); };
    agencies_.emplace(128, [&](AgreementText&, LiveAgency& police, LiveAgency&) {
      police.Configure("[store]\nurl = \"" + url("comity_gateway") + "\"\nmigration_url = \"" +
                       url("comity_migration") + "\"\n");
    });
    agencies_->ImportEntries(kEntries);
    const std::string deployment = agencies_->CreateDeployment();
    agencies_->police().Stop();
    agencies_->council().Stop();
    police_.emplace(std::array{GatewayProcess(agencies_->police(), "first.log"),
                               GatewayProcess(agencies_->police(), "second.log")});
    council_.emplace(agencies_->council());
    ASSERT_TRUE(First().Start()) << First().log();
    ASSERT_TRUE(Second().Begin());
    ASSERT_TRUE(Waits(Second())) << Second().log();
    ASSERT_TRUE(council_->Start()) << council_->log();
    engine_.emplace([this] { return council_->engine(); }, agencies_->entries());
    engine_->Start(deployment);
    ASSERT_TRUE(SeesHits(kHitsBetween)) << What();
  }

  void TearDown() override { engine_.reset(); }

  GatewayProcess& First() { return (*police_)[0]; }
  GatewayProcess& Second() { return (*police_)[1]; }
  std::string What() {
    return "first: " + First().log() + "\nsecond: " + Second().log() +
           "\ncouncil: " + council_->log() + "\n" + cluster_->Log();
  }

  bool SeesHits(std::uint64_t further) {
    const std::uint64_t wanted = engine_->told().hits + further;
    return WaitFor(seconds(120), [&] { return engine_->told().hits >= wanted; });
  }

  void End() {
    engine_->Stop();
    for (GatewayProcess* process : {&Second(), &First(), &*council_}) {
      if (process->IsRunning()) static_cast<void>(process->Stop(seconds(10)));
    }
    CheckRecords(*agencies_, *engine_, [&] { return cluster_->Ask(database_, kReserved); });
  }

  // The machine of the primary dies under load, and comes back.
  void LosesItsPrimary(const std::string& way) {
    const std::size_t primary = cluster_->Primary().value();
    GapMeter meter(*engine_);
    cluster_->Kill(primary);
    ASSERT_TRUE(cluster_->AwaitPrimary(1 - primary, seconds(60))) << cluster_->Log();
    ASSERT_TRUE(SeesHits(kHitsBetween)) << What();
    EXPECT_LT(meter.Stop("the primary's machine dies, " + way), 40);
    EXPECT_TRUE(First().IsRunning()) << What();  // its patience was enough
    EXPECT_TRUE(Second().IsRunning()) << What();
    ASSERT_THAT(cluster_->StartNode(primary), IsOk());
    ASSERT_THAT(cluster_->AwaitWhole(), IsOk());
    ASSERT_EQ(cluster_->Primary(), 1 - primary);
    ASSERT_TRUE(SeesHits(kHitsBetween)) << What();  // with a standby again
    End();
  }

  static inline std::unique_ptr<PatroniCluster> cluster_;
  std::string database_;
  std::optional<TwoAgencies> agencies_;
  std::optional<std::array<GatewayProcess, 2>> police_;
  std::optional<GatewayProcess> council_;
  std::optional<LiveEngine> engine_;  // last: it ends before what it shows faces to
};

TEST_F(Failover, BehindABalancerThePrimarysDeathLosesNothingAndTheSearchGoesOn) {
  ASSERT_NO_FATAL_FAILURE(Begin("balanced", &PatroniCluster::BalancedUrl));
  LosesItsPrimary("haproxy");
}

TEST_F(Failover, WithAListOfNodesThePrimarysDeathLosesNothingAndTheSearchGoesOn) {
  ASSERT_NO_FATAL_FAILURE(Begin("listed", &PatroniCluster::ListedUrl));
  LosesItsPrimary("both nodes in the url");
}

TEST_F(Failover, TheReplicasDeathIsAPauseOnly) {
  ASSERT_NO_FATAL_FAILURE(Begin("alone", &PatroniCluster::BalancedUrl));
  const std::size_t primary = cluster_->Primary().value();
  GapMeter meter(*engine_);
  cluster_->Kill(1 - primary);
  ASSERT_TRUE(SeesHits(kHitsBetween)) << What();
  std::this_thread::sleep_for(seconds(30));  // until Patroni has made up its mind
  ASSERT_TRUE(SeesHits(kHitsBetween)) << What();
  EXPECT_LT(meter.Stop("the replica's machine dies"), 30);
  EXPECT_EQ(cluster_->Primary(), primary);
  EXPECT_TRUE(First().IsRunning()) << What();
  ASSERT_THAT(cluster_->StartNode(1 - primary), IsOk());
  ASSERT_THAT(cluster_->AwaitWhole(), IsOk());
  End();
}

TEST_F(Failover, APlannedHandOverOfThePrimaryLosesNothing) {
  ASSERT_NO_FATAL_FAILURE(Begin("planned", &PatroniCluster::BalancedUrl));
  const std::size_t primary = cluster_->Primary().value();
  GapMeter meter(*engine_);
  ASSERT_THAT(cluster_->SwitchOver(), IsOk());
  ASSERT_TRUE(cluster_->AwaitPrimary(1 - primary, seconds(30))) << cluster_->Log();
  ASSERT_TRUE(SeesHits(kHitsBetween)) << What();
  EXPECT_LT(meter.Stop("planned hand-over, haproxy"), 15);
  EXPECT_TRUE(First().IsRunning()) << What();
  ASSERT_THAT(cluster_->AwaitWhole(), IsOk());
  End();
}

TEST_F(Failover, TheGatewayThatWaitsTakesOverWhenTheOtherDiesWithThePrimary) {
  ASSERT_NO_FATAL_FAILURE(Begin("machines", &PatroniCluster::BalancedUrl));
  const std::size_t primary = cluster_->Primary().value();
  GapMeter meter(*engine_);
  cluster_->Kill(primary);
  First().Kill();
  // Whatever starts gateways starts it again as long as it finds no database.
  ASSERT_TRUE(WaitFor(seconds(90), [&] {
    return Second().AwaitListening() || (!Second().IsRunning() && Second().Start());
  })) << What();
  ASSERT_TRUE(SeesHits(kHitsBetween)) << What();
  EXPECT_LT(meter.Stop("the machines of primary and gateway die, haproxy"), 60);
  ASSERT_THAT(cluster_->StartNode(primary), IsOk());
  ASSERT_THAT(cluster_->AwaitWhole(), IsOk());
  End();
}

// No replicas: a server that one gateway does not reach any more, and the other one does.
TEST(OneGatewayWithoutItsLine, GivesWayToTheOneThatReachesTheDatabase) {
  const auto server = PostgresServer::Start({true, {}, {}});
  ASSERT_THAT(server, IsOk());
  const TestDatabase database(**server);
  const auto proxy = LineCutter::Start((*server)->port());
  ASSERT_THAT(proxy, IsOk());
  const auto url = [&](std::uint16_t port) {
    return (*server)->UrlOfPort("comity_gateway", database.name(), port);
  };
  TwoAgencies agencies(128, [&](AgreementText&, LiveAgency& police, LiveAgency&) {
    police.Configure("[store]\nurl = \"" + url((*server)->port()) + "\"\n");
  });
  agencies.ImportEntries(kEntries);
  const std::string deployment = agencies.CreateDeployment();
  agencies.police().Stop();
  agencies.council().Stop();
  std::ifstream file(agencies.police().config_file());
  std::string text{std::istreambuf_iterator<char>(file), {}};
  const std::string direct = url((*server)->port());
  text.replace(text.find(direct), direct.size(), url((*proxy)->port()));
  const auto behind = agencies.police().config_file().parent_path() / "behind.toml";
  ASSERT_THAT(runtime::WriteFile(behind, AsBytes(text), 0600), IsOk());

  GatewayProcess first(agencies.police(), "first.log", "behind.toml");
  GatewayProcess second(agencies.police(), "second.log");
  GatewayProcess council(agencies.council());
  ASSERT_TRUE(first.Start()) << first.log();
  ASSERT_TRUE(second.Begin());
  ASSERT_TRUE(Waits(second)) << second.log();
  ASSERT_TRUE(council.Start()) << council.log();
  LiveEngine engine([&] { return council.engine(); }, agencies.entries());
  engine.Start(deployment);
  const auto sees_hits = [&] {
    const std::uint64_t wanted = engine.told().hits + kHitsBetween;
    return WaitFor(seconds(30), [&] { return engine.told().hits >= wanted; });
  };
  ASSERT_TRUE(sees_hits()) << first.log() << council.log();

  GapMeter meter(engine);
  (*proxy)->SetDown(true);
  (*proxy)->CutAll();
  ASSERT_TRUE(WaitFor(seconds(150), [&] { return second.AwaitListening(); }))
      << first.log() << second.log();
  ASSERT_TRUE(sees_hits()) << second.log() << council.log();
  EXPECT_LT(meter.Stop("one gateway loses its line"), 130);
  EXPECT_THAT(first.log(), HasSubstr("database-lost"));
  engine.Stop();
  for (GatewayProcess* process : {&first, &second, &council}) {
    if (process->IsRunning()) static_cast<void>(process->Stop(seconds(10)));
  }
  CheckRecords(agencies, engine, [&] { return database.Ask(kReserved); });
}

}  // namespace
}  // namespace comity::testing
