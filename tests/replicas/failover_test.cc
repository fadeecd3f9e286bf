// SPDX-License-Identifier: Apache-2.0
// Two gateways of a police force over PostgreSQL with replicas (Debian's Patroni, etcd and
// haproxy), searched by a council's engine without a pause, while their people stop a list and lift
// the stop: the machine of the primary dies, the primary is handed over as planned, and a gateway
// alone loses its line to the database. Nothing that was acknowledged is lost or kept twice, a stop
// lets nothing through, and the engine's search goes on.
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
#include "services/runtime/guarded.h"
#include "tests/e2e/exported_log.h"
#include "tests/e2e/gateway_process.h"
#include "tests/e2e/live_engine.h"
#include "tests/e2e/people_at_work.h"
#include "tests/e2e/two_agencies.h"
#include "tests/integration/live_acts.h"
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
constexpr std::size_t kActsBetween = 4;  // of people
constexpr const char* kOtherList = "beacon";

bool WaitFor(seconds patience, const auto& holds) {
  const auto end = steady_clock::now() + patience;
  while (!holds()) {
    if (steady_clock::now() > end) return false;
    std::this_thread::sleep_for(milliseconds(10));
  }
  return true;
}

// What the engine was told is in both logs, once, as an auditor gets and verifies them, and the
// counters of the holder's database, which `reserved` asks for, are what its log says. So is what
// the holder's people were told, unless there were none.
void CheckRecords(TwoAgencies& agencies, LiveEngine& engine, const PeopleAtWork* people,
                  const auto& reserved) {
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
  if (people != nullptr) people->Check(*holder);
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
    FillList(agencies_->police(), agencies_->ListNamed(kOtherList), {agencies_->Stranger()}, "b-");
    const std::string deployment = agencies_->CreateDeployment();
    agencies_->police().Stop();
    agencies_->council().Stop();
    police_.emplace(std::array{GatewayProcess(agencies_->police(), "first.log"),
                               GatewayProcess(agencies_->police(), "second.log")});
    council_.emplace(agencies_->council());
    ASSERT_TRUE(First().Start()) << First().log();
    PeopleGoTo(First());
    ASSERT_TRUE(Second().Begin());
    ASSERT_TRUE(Waits(Second())) << Second().log();
    ASSERT_TRUE(council_->Start()) << council_->log();
    engine_.emplace([this] { return council_->engine(); }, agencies_->entries());
    engine_->Start(deployment);
    people_.emplace(
        agencies_->police(),
        [this] { return agency_port_.With([](const std::string& port) { return port; }); },
        kOtherList);
    people_->Start();
    ASSERT_TRUE(GoesOn()) << What();
  }

  void TearDown() override {
    people_.reset();
    engine_.reset();
  }

  GatewayProcess& First() { return (*police_)[0]; }
  GatewayProcess& Second() { return (*police_)[1]; }
  void PeopleGoTo(const GatewayProcess& gateway) {
    agency_port_.With([&](std::string& port) { port = gateway.engine().gateway; });
  }
  std::string What() {
    return "people: " + people_->told().last_refusal + "\nfirst: " + First().log() +
           "\nsecond: " + Second().log() + "\ncouncil: " + council_->log() + "\n" + cluster_->Log();
  }

  bool SeesHits(std::uint64_t further) {
    const std::uint64_t wanted = engine_->told().hits + further;
    return WaitFor(seconds(120), [&] { return engine_->told().hits >= wanted; });
  }

  // Faces are found, and people's acts are acknowledged.
  bool GoesOn() { return SeesHits(kHitsBetween) && people_->AwaitActs(kActsBetween, seconds(60)); }

  void End() {
    engine_->Stop();
    people_->Stop();
    const PeopleAtWork::Told told = people_->told();
    std::printf("people: %zu stops and %zu liftings acknowledged, %llu acts unknown\n",
                told.set.size(), told.lifted.size(), static_cast<unsigned long long>(told.unknown));
    for (GatewayProcess* process : {&Second(), &First(), &*council_}) {
      if (process->IsRunning()) static_cast<void>(process->Stop(seconds(10)));
    }
    CheckRecords(*agencies_, *engine_, &*people_,
                 [&] { return cluster_->Ask(database_, kReserved); });
  }

  // The machine of the primary dies under load, and comes back.
  void LosesItsPrimary(const std::string& way) {
    const std::size_t primary = cluster_->Primary().value();
    GapMeter meter(*engine_);
    cluster_->Kill(primary);
    ASSERT_TRUE(cluster_->AwaitPrimary(1 - primary, seconds(60))) << cluster_->Log();
    ASSERT_TRUE(SeesHits(kHitsBetween)) << What();
    EXPECT_LT(meter.Stop("the primary's machine dies, " + way), 40);
    ASSERT_TRUE(GoesOn()) << What();
    EXPECT_TRUE(First().IsRunning()) << What();  // its patience was enough
    EXPECT_TRUE(Second().IsRunning()) << What();
    ASSERT_THAT(cluster_->StartNode(primary), IsOk());
    ASSERT_THAT(cluster_->AwaitWhole(), IsOk());
    ASSERT_EQ(cluster_->Primary(), 1 - primary);
    ASSERT_TRUE(GoesOn()) << What();  // with a standby again
    End();
  }

  static inline std::unique_ptr<PatroniCluster> cluster_;
  std::string database_;
  std::optional<TwoAgencies> agencies_;
  std::optional<std::array<GatewayProcess, 2>> police_;
  std::optional<GatewayProcess> council_;
  runtime::Guarded<std::string> agency_port_;  // where the police's people find their gateway
  // Last: they end before those whom they ask.
  std::optional<PeopleAtWork> people_;
  std::optional<LiveEngine> engine_;
};

TEST_F(Failover, BehindABalancerThePrimarysDeathLosesNothingAndTheSearchGoesOn) {
  ASSERT_NO_FATAL_FAILURE(Begin("balanced", &PatroniCluster::BalancedUrl));
  LosesItsPrimary("haproxy");
}

TEST_F(Failover, WithAListOfNodesThePrimarysDeathLosesNothingAndTheSearchGoesOn) {
  ASSERT_NO_FATAL_FAILURE(Begin("listed", &PatroniCluster::ListedUrl));
  LosesItsPrimary("both nodes in the url");
}

// The engine goes on showing faces all the time: not one of them may be a hit before two have
// lifted the stop, at whatever server and gateway.
TEST_F(Failover, AStopThatWasAcknowledgedJustBeforeThePrimaryDiesHolds) {
  ASSERT_NO_FATAL_FAILURE(Begin("stopped", &PatroniCluster::BalancedUrl));
  const std::size_t primary = cluster_->Primary().value();
  const auto stop = people_->StopPartner(agencies_->council().name());
  cluster_->Kill(primary);
  ASSERT_TRUE(stop.has_value()) << What();
  engine_->ExpectHalt(true);
  ASSERT_TRUE(cluster_->AwaitPrimary(1 - primary, seconds(60))) << cluster_->Log();
  ASSERT_TRUE(people_->AwaitActs(kActsBetween, seconds(60))) << What();
  const std::uint64_t answers = engine_->told().answers;
  ASSERT_TRUE(WaitFor(seconds(30), [&] {
    return engine_->told().answers >= answers + kHitsBetween;
  })) << What();
  EXPECT_EQ(engine_->told().hits_in_halt, 0u) << What();
  engine_->ExpectHalt(false);
  ASSERT_TRUE(people_->Lift(*stop)) << What();
  ASSERT_TRUE(GoesOn()) << What();
  ASSERT_THAT(cluster_->StartNode(primary), IsOk());
  ASSERT_THAT(cluster_->AwaitWhole(), IsOk());
  ASSERT_TRUE(GoesOn()) << What();
  End();
}

TEST_F(Failover, TheReplicasDeathIsAPauseOnly) {
  ASSERT_NO_FATAL_FAILURE(Begin("alone", &PatroniCluster::BalancedUrl));
  const std::size_t primary = cluster_->Primary().value();
  GapMeter meter(*engine_);
  cluster_->Kill(1 - primary);
  ASSERT_TRUE(SeesHits(kHitsBetween)) << What();
  std::this_thread::sleep_for(seconds(30));  // until Patroni has made up its mind
  ASSERT_TRUE(GoesOn()) << What();
  EXPECT_LT(meter.Stop("the replica's machine dies"), 30);
  EXPECT_EQ(cluster_->Primary(), primary);
  EXPECT_TRUE(First().IsRunning()) << What();
  ASSERT_THAT(cluster_->StartNode(1 - primary), IsOk());
  ASSERT_THAT(cluster_->AwaitWhole(), IsOk());
  ASSERT_TRUE(GoesOn()) << What();
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
  ASSERT_TRUE(GoesOn()) << What();
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
  PeopleGoTo(Second());
  ASSERT_TRUE(SeesHits(kHitsBetween)) << What();
  EXPECT_LT(meter.Stop("the machines of primary and gateway die, haproxy"), 60);
  ASSERT_THAT(cluster_->StartNode(primary), IsOk());
  ASSERT_THAT(cluster_->AwaitWhole(), IsOk());
  ASSERT_TRUE(GoesOn()) << What();
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
  EXPECT_LT(meter.Stop("one gateway loses its line"), 85);
  EXPECT_THAT(first.log(), HasSubstr("database-lost"));
  engine.Stop();
  for (GatewayProcess* process : {&first, &second, &council}) {
    if (process->IsRunning()) static_cast<void>(process->Stop(seconds(10)));
  }
  CheckRecords(agencies, engine, nullptr, [&] { return database.Ask(kReserved); });
}

}  // namespace
}  // namespace comity::testing
