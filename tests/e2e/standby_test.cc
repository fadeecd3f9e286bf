// SPDX-License-Identifier: Apache-2.0
// Two gateways of one agency over one PostgreSQL database: one works, the other one waits and takes
// over when the first is killed, as often as COMITY_CRASH_KILLS says (3), or stopped in order; and
// a database server that is killed under a gateway which goes on. Nothing that was acknowledged is
// lost, nothing is decided twice, and what was ended before a hand-over stays so after it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <thread>

#include "services/audit/events.h"
#include "services/runtime/clock_record.h"
#include "services/runtime/file.h"
#include "tests/e2e/exported_log.h"
#include "tests/e2e/gateway_process.h"
#include "tests/e2e/live_engine.h"
#include "tests/e2e/people_at_work.h"
#include "tests/e2e/two_agencies.h"
#include "tests/support/postgres/line_cutter.h"
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

  GatewayProcess& Working() { return police_[working_]; }
  // The other one, which waits when this returns.
  GatewayProcess& BeginNext() {
    GatewayProcess& next = police_[1 - working_];
    EXPECT_TRUE(next.Begin());
    EXPECT_TRUE(WaitFor(seconds(10), [&] {
      return next.log().rfind("gateway-waits") != std::string::npos;
    })) << next.log();
    return next;
  }
  enum class End { kKilled, kStopped };
  // The one that works ends, and the other one listens: seconds in between.
  double HandOver(End end) {
    GatewayProcess& next = BeginNext();
    const auto began = steady_clock::now();
    if (end == End::kKilled) {
      Working().Kill();
    } else {
      EXPECT_EQ(Working().Stop(seconds(20)), 0) << Working().log();
    }
    const auto ended = steady_clock::now();
    EXPECT_TRUE(next.AwaitListening()) << next.log();
    working_ = 1 - working_;
    const std::chrono::duration<double> stop = ended - began;
    const std::chrono::duration<double> start = steady_clock::now() - ended;
    std::printf("ended in %.2f s, the other one listens %.2f s later\n", stop.count(),
                start.count());
    return start.count();
  }
  using Call =
      std::function<grpc::Status(const std::shared_ptr<grpc::Channel>&, grpc::ClientContext&)>;
  // One of the police does it at the gateway that works, which acknowledges it.
  void Do(const std::string& person, const Call& call) {
    grpc::ClientContext context;
    const grpc::Status status =
        call(OpenAs(agencies_.police(), person, Working().engine().gateway), context);
    ASSERT_TRUE(status.ok()) << status.error_message();
  }
  // `end` ends the search. No face that is shown after it was acknowledged is a hit, however often
  // the gateways change.
  void ExpectEndedBeyondHandOvers(const std::function<void()>& end) {
    for (const End way : {End::kKilled, End::kStopped}) {
      if (way == End::kKilled) {
        end();
        ASSERT_FALSE(HasFailure());
        engine_->ExpectHalt(true);
      }
      HandOver(way);
      const std::uint64_t answers = engine_->told().answers;
      EXPECT_TRUE(
          WaitFor(seconds(30), [&] { return engine_->told().answers >= answers + kHitsBetween; }))
          << Working().log() << council_.log();
      EXPECT_EQ(engine_->told().hits_in_halt, 0u);
    }
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
  std::size_t working_ = 0;  // of police_
  std::string deployment_;
  std::optional<LiveEngine> engine_;  // last: it ends before what it shows faces to
};

TEST_F(Standby, TakesOverWhoeverWorksIsKilledAndTheStreamsGoOn) {
  for (int kills = KillsWanted(); kills > 0; --kills) {
    GapMeter meter(*engine_);
    EXPECT_LT(HandOver(End::kKilled), 5);
    ASSERT_TRUE(SeesHits(kHitsBetween)) << Working().log() << council_.log();
    EXPECT_LT(meter.Stop("the gateway that works is killed"), 8);
  }
  CheckRecords();
}

TEST_F(Standby, TakesOverFromOneThatIsStoppedAndTheStreamsGoOn) {
  for (int stops = KillsWanted(); stops > 0; --stops) {
    GapMeter meter(*engine_);
    EXPECT_LT(HandOver(End::kStopped), 5);
    ASSERT_TRUE(SeesHits(kHitsBetween)) << Working().log() << council_.log();
    EXPECT_LT(meter.Stop("the gateway that works is stopped"), 8);
  }
  CheckRecords();
}

TEST_F(Standby, KeepsAStopThatWasSetJustBefore) {
  PeopleAtWork people(agencies_.police(), [this] { return Working().engine().gateway; }, "");
  std::optional<std::string> stop;
  ASSERT_NO_FATAL_FAILURE(ExpectEndedBeyondHandOvers([&] {
    stop = people.StopPartner(agencies_.council().name());
    ASSERT_TRUE(stop.has_value());
  }));
  // The search stood because of it, and nothing else.
  engine_->ExpectHalt(false);
  ASSERT_TRUE(people.Lift(*stop));
  ASSERT_TRUE(SeesHits(kHitsBetween)) << engine_->told().last;
  CheckRecords();
}

TEST_F(Standby, KeepsASuspensionThatWasSignedJustBefore) {
  policy::Statement suspension;
  suspension.kind = policy::StatementKind::kSuspension;
  suspension.agreement = agencies_.reference();
  suspension.party = policy::AgencyId::Parse(agencies_.police().name()).value();
  suspension.post = "Data Protection Officer";
  suspension.text = "a complaint is being looked into";
  suspension.at = runtime::SystemClock().Now();
  const auto signed_one = policy::MakeStatement(agencies_.police().PersonKey("dpo"), suspension);
  ASSERT_THAT(signed_one, IsOk());
  ASSERT_NO_FATAL_FAILURE(ExpectEndedBeyondHandOvers([&] {
    v1::SubmitAgreementRequest request;
    request.set_statement(sign::EncodeDsseJson(*signed_one));
    Do("dpo", [&](const auto& channel, grpc::ClientContext& context) {
      v1::SubmitAgreementResponse response;
      return v1::Agreements::NewStub(channel)->Submit(&context, request, &response);
    });
  }));
  CheckRecords();
}

TEST_F(Standby, KeepsEntriesWithdrawnThatWereWithdrawnJustBefore) {
  ASSERT_NO_FATAL_FAILURE(ExpectEndedBeyondHandOvers([&] {
    for (std::size_t entry = 0; entry < kEntries; ++entry) {
      v1::WithdrawEntryRequest request;
      request.set_watchlist("lantern");
      request.set_reference("ref-" + std::to_string(entry));
      request.set_reason("the warrant is lifted");
      Do("operator", [&](const auto& channel, grpc::ClientContext& context) {
        v1::WithdrawEntryResponse response;
        return v1::Watchlists::NewStub(channel)->Withdraw(&context, request, &response);
      });
    }
  }));
  // By the holder itself: a list without entries is not searched.
  EXPECT_THAT(engine_->told().last, AllOf(HasSubstr("DECISION_CODE_LIST_NOT_COVERED"),
                                          HasSubstr("refused_by: \"northshire-police\"")));
  CheckRecords();
}

// As after a failure of its network: it has the data directory first, and must not keep it.
TEST_F(Standby, AGatewayThatDoesNotReachTheDatabaseLetsTheOtherOneWork) {
  ASSERT_EQ(police_[0].Stop(seconds(20)), 0);
  const auto& police = agencies_.police();
  std::ifstream file(police.config_file());
  std::string text{std::istreambuf_iterator<char>(file), {}};
  const std::string url = database_.Url("comity_gateway");
  const auto nobody = LineCutter::Start(server_->port());
  ASSERT_THAT(nobody, IsOk());
  (*nobody)->SetDown(true);
  text.replace(text.find(url), url.size(),
               server_->UrlOfPort("comity_gateway", database_.name(), (*nobody)->port()));
  const auto lost_toml = police.config_file().parent_path() / "lost.toml";
  ASSERT_THAT(runtime::WriteFile(lost_toml, AsBytes(text), 0600), IsOk());
  GatewayProcess lost(police, "lost.log", "lost.toml");
  ASSERT_TRUE(lost.Begin());
  ASSERT_TRUE(WaitFor(seconds(20), [&] {
    return lost.log().find("database-away") != std::string::npos;
  })) << lost.log();
  for (int turns = 3; turns > 0; --turns) {
    ASSERT_TRUE(police_[1].Start()) << police_[1].log() << lost.log();
    ASSERT_TRUE(SeesHits(kHitsBetween)) << police_[1].log() << council_.log();
    EXPECT_TRUE(lost.IsRunning()) << lost.log();
    EXPECT_EQ(police_[1].Stop(seconds(20)), 0) << police_[1].log();
  }
  EXPECT_EQ(lost.Stop(seconds(10)), 0) << lost.log();
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
