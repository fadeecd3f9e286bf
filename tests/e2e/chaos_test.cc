// SPDX-License-Identifier: Apache-2.0
// Two gateways whose line to each other fails all the time while they search, withdraw, stop and
// suspend, and which are killed now and then. Afterwards the two logs must tell one story.
//
// COMITY_CHAOS_SECONDS: for how long; COMITY_CRASH_KILLS and COMITY_CRASH_SEED as for kill tests.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "policy/agreement/statement.h"
#include "tests/e2e/exported_log.h"
#include "tests/e2e/killed_gateways.h"
#include "tests/e2e/live_engine.h"
#include "tests/e2e/two_agencies.h"
#include "tests/support/delay_proxy.h"
#include "tests/support/result_matchers.h"

namespace comity::testing {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;
using namespace std::chrono_literals;

constexpr int kUsualKills = 4;
constexpr std::size_t kEntries = 60;
constexpr std::size_t kStaying = 3;  // of these the engine can be told until the end
// A person may make 64 statements on one version of an agreement.
constexpr int kMostSuspensions = 50;
// A partner takes 20 notices an hour; one is stopped and lifted.
constexpr int kMostPartnerStops = 8;

std::uint64_t NumberOf(const char* variable, std::uint64_t otherwise) {
  const char* text = std::getenv(variable);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

// What the line between two gateways does, one failure after the other.
//
// Threads: made and ended by one thread; one of its own.
class Weather {
 public:
  Weather(std::vector<DelayProxy*> lines, std::uint64_t seed)
      : lines_(std::move(lines)),
        random_(seed),
        thread_([this](const std::stop_token& stop) { Run(stop); }) {}
  ~Weather() { End(); }
  // The line is whole again.
  void End() {
    thread_.request_stop();
    if (thread_.joinable()) thread_.join();
    for (DelayProxy* line : lines_) line->Set({});
  }
  std::uint64_t failures() const { return failures_; }

 private:
  void Run(const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      Fail(*lines_[random_() % lines_.size()]);
      Pause(stop, 400ms);
      if (random_() % 3 == 0) continue;  // several at once
      for (DelayProxy* line : lines_) line->Set({});
      Pause(stop, 600ms);
    }
  }
  void Fail(DelayProxy& line) {
    ++failures_;
    switch (random_() % 7) {
      case 0:
        return line.Cut();
      case 1:
      case 2:
        return line.CutAfter(1 + random_() % 20'000);  // within a message
      case 3:
        return line.Set({.holds_to_target = true});
      case 4:
        return line.Set({.holds_from_target = true});
      case 5:
        return line.Set({.holds_to_target = true, .holds_from_target = true});
      default:
        line.Set({.refuses = true});
        return line.Cut();
    }
  }
  void Pause(const std::stop_token& stop, milliseconds longest) {
    const auto until =
        steady_clock::now() + milliseconds(random_() % static_cast<std::uint64_t>(longest.count()));
    while (!stop.stop_requested() && steady_clock::now() < until) std::this_thread::sleep_for(5ms);
  }

  const std::vector<DelayProxy*> lines_;
  std::mt19937_64 random_;
  std::atomic<std::uint64_t> failures_ = 0;
  std::jthread thread_;  // last: uses the others
};

class Chaos : public ::testing::Test {
 protected:
  void SetUp() override {
    agencies_.ImportEntries(kEntries);
    deployment_ = agencies_.CreateDeployment();
    gateways_.Start();
  }
  // Everything that reaches an agency from its partner passes its line.
  std::unique_ptr<DelayProxy> LineTo(LiveAgency& agency) {
    const DelayProxy::Line line{2ms, 10'000'000};
    auto proxy = DelayProxy::Start({agency.federation_port(), line, line});
    EXPECT_THAT(proxy, IsOk());
    agency.ReachedAt((*proxy)->port());
    return *std::move(proxy);
  }
  LiveAgency& police() { return agencies_.police(); }
  LiveAgency& council() { return agencies_.council(); }

  void WithdrawNext() {
    v1::WithdrawEntryRequest request;
    request.set_watchlist("lantern");
    request.set_reference("ref-" + std::to_string(next_entry_));
    request.set_reason("the warrant was executed");
    gateways_.Do(police(), "operator", [&](const auto& channel, grpc::ClientContext& context) {
      v1::WithdrawEntryResponse response;
      return v1::Watchlists::NewStub(channel)->Withdraw(&context, request, &response);
    });
    ++next_entry_;
  }
  Digest Say(const std::string& person, const char* post, policy::Statement statement) {
    statement.agreement = agencies_.reference();
    statement.party = policy::AgencyId::Parse(police().name()).value();
    statement.post = post;
    statement.text = "as agreed";
    statement.at = clock_.Now();
    const auto envelope = policy::MakeStatement(police().PersonKey(person), statement);
    EXPECT_THAT(envelope, IsOk());
    gateways_.Do(police(), person, [&](const auto& channel, grpc::ClientContext& context) {
      v1::SubmitAgreementRequest request;
      v1::SubmitAgreementResponse response;
      request.set_statement(sign::EncodeDsseJson(*envelope));
      return v1::Agreements::NewStub(channel)->Submit(&context, request, &response);
    });
    return policy::StatementId(envelope->payload);
  }
  void SuspendAndResume() {
    policy::Statement suspension;
    suspension.kind = policy::StatementKind::kSuspension;
    policy::Statement resumption;
    resumption.kind = policy::StatementKind::kResumption;
    resumption.lifts = Say("dpo", "Data Protection Officer", suspension);
    Say("siro", "Senior Information Risk Owner", resumption);
    Say("chief", "Chief Officer", resumption);
  }
  // What covers the engine's searches, at their holder or at their requester.
  struct StopOrder {
    LiveAgency& agency;
    v1::StopScope scope;
    std::string reference;
  };
  StopOrder NextStop(int number) {
    switch (number % 4) {
      case 0:
        return {police(), v1::STOP_SCOPE_WATCHLIST, "lantern"};
      case 1:
        return {council(), v1::STOP_SCOPE_DEPLOYMENT, deployment_};
      case 2:
        if (number / 4 < kMostPartnerStops) {
          return {police(), v1::STOP_SCOPE_PARTNER, council().name()};
        }
        [[fallthrough]];
      default:
        return {council(), v1::STOP_SCOPE_AGREEMENT, agencies_.agreement()};
    }
  }
  std::vector<v1::Stop> StopsStanding(LiveAgency& agency) {
    v1::ListStopsResponse response;
    gateways_.Do(agency, "operator", [&](const auto& channel, grpc::ClientContext& context) {
      return v1::Stops::NewStub(channel)->List(&context, {}, &response);
    });
    return {response.stops().begin(), response.stops().end()};
  }
  // One person stops, two lift. Meanwhile no face that is shown is a hit.
  void StopAndLift(LiveEngine& engine) {
    const StopOrder order = NextStop(stops_++);
    const auto set = [&](const auto& channel, grpc::ClientContext& context) {
      v1::SetStopRequest request;
      v1::Stop stop;
      request.set_scope(order.scope);
      request.set_reference(order.reference);
      request.set_reason("a complaint is being looked into");
      return v1::Stops::NewStub(channel)->Set(&context, request, &stop);
    };
    gateways_.Do(order.agency, "supervisor-1", set,
                 {.is_done = [&] { return !StopsStanding(order.agency).empty(); }});
    engine.ExpectHalt(true);
    const auto standing = StopsStanding(order.agency);
    ASSERT_EQ(standing.size(), 1u);
    std::this_thread::sleep_for(200ms);
    engine.ExpectHalt(false);
    const std::string id = standing.front().stop();
    const KilledGateways::TwoPeopleAct two{"stop-lift", "stop " + id, "supervisor-1",
                                           "supervisor-2"};
    const auto act = gateways_.Proposed(
        order.agency, two,
        [&](const auto& channel, grpc::ClientContext& context, v1::PendingAct* pending) {
          v1::LiftStopRequest request;
          request.set_stop(id);
          request.set_reason("the complaint was unfounded");
          return v1::Stops::NewStub(channel)->Lift(&context, request, pending);
        });
    gateways_.Approve(order.agency, two, act);
    EXPECT_TRUE(StopsStanding(order.agency).empty());
  }
  WholeLog LogOf(LiveAgency& agency) {
    auto log = WholeLog::Of(*v1::Audit::NewStub(gateways_.ChannelOf(agency, "auditor")));
    EXPECT_THAT(log, IsOk()) << agency.name();
    return log ? *std::move(log) : WholeLog();
  }
  // A holder logs a hit before its answer leaves, so an answer that is lost, or comes when it may
  // no longer be used, leaves a hit without an alert. The engine waits for each answer: a failure
  // of the line, a kill, a suspension or a withdrawal explains one at most.
  void CheckLost(const WholeLog& requester, const WholeLog& holder, std::uint64_t disturbances) {
    const auto compared = cli::CompareLogs(requester.side(), holder.side(), {});
    ASSERT_THAT(compared, IsOk());
    EXPECT_LE(compared->hits_without_alert, disturbances)
        << "answers were lost that nothing explains";
  }
  // Alerts that the engine was told of are there.
  void CheckTold(const LiveEngine::Told& told, const WholeLog& requester) {
    for (const auto& [exchange, alert] : told.alert_of) {
      EXPECT_TRUE(requester.MessageOf("alert-raised", exchange, "answer"))
          << alert << " was told and is not in the log";
    }
  }

  runtime::SystemClock clock_;
  std::unique_ptr<DelayProxy> to_police_;
  std::unique_ptr<DelayProxy> to_council_;
  TwoAgencies agencies_{128, [this](AgreementText&, LiveAgency& police, LiveAgency& council) {
                          to_police_ = LineTo(police);
                          to_council_ = LineTo(council);
                        }};
  KilledGateways gateways_{{&agencies_.police(), &agencies_.council()}, kUsualKills};
  std::string deployment_;
  std::size_t next_entry_ = kStaying;
  int suspensions_ = 0;
  int stops_ = 0;
};

TEST_F(Chaos, LeavesTwoLogsThatTellOneStory) {
  const auto until =
      steady_clock::now() + std::chrono::seconds(NumberOf("COMITY_CHAOS_SECONDS", 12));
  const std::uint64_t seed = NumberOf("COMITY_CRASH_SEED", std::random_device()());
  std::printf("COMITY_CRASH_SEED=%llu of the line\n", static_cast<unsigned long long>(seed));
  LiveEngine engine([this] { return gateways_.engine(council()); },
                    {agencies_.entries().begin(), agencies_.entries().end()});
  engine.Start(deployment_);
  Weather weather({to_police_.get(), to_council_.get()}, seed);
  int rounds = 0;
  while ((steady_clock::now() < until || gateways_.has_kills_left()) && !HasFailure()) {
    gateways_.Step("withdraw", [&] {
      if (next_entry_ < kEntries) WithdrawNext();
    });
    if (++rounds % 4 == 0 && suspensions_ < kMostSuspensions) {
      gateways_.Step("suspend and resume", [&] { SuspendAndResume(); });
      ++suspensions_;
    }
    if (rounds % 4 == 2) gateways_.Step("stop and lift", [&] { StopAndLift(engine); });
    std::this_thread::sleep_for(100ms);
  }
  weather.End();
  // Faces are answered again once everything is whole.
  const auto before = engine.told().hits;
  gateways_.Await("a hit over the whole line", [&] { return engine.told().hits > before; });
  engine.Stop();
  gateways_.ExpectSettled();
  const WholeLog requester = LogOf(council());
  CheckTold(engine.told(), requester);
  EXPECT_EQ(engine.told().hits_in_halt, 0u) << "a hit in spite of a stop";
  const WholeLog holder = LogOf(police());
  EXPECT_EQ(requester.Count("stop-set") + holder.Count("stop-set"),
            static_cast<std::size_t>(stops_));
  EXPECT_EQ(requester.Count("stop-lifted") + holder.Count("stop-lifted"),
            static_cast<std::size_t>(stops_));
  const std::uint64_t acts =
      static_cast<std::uint64_t>(suspensions_ + stops_) + next_entry_ - kStaying;
  CheckLost(requester, holder,
            weather.failures() + acts + NumberOf("COMITY_CRASH_KILLS", kUsualKills));
  EXPECT_GT(requester.Count("partner-message-received"), 0u);
  std::printf("%d rounds, %zu withdrawn, %d suspensions, %d stops, %llu failures of the line, ",
              rounds, next_entry_ - kStaying, suspensions_, stops_,
              static_cast<unsigned long long>(weather.failures()));
  const LiveEngine::Told told = engine.told();
  std::printf("%llu answers told, %llu of them under a stop, %llu hits, %zu alerts\n",
              static_cast<unsigned long long>(told.answers),
              static_cast<unsigned long long>(told.answers_in_halt),
              static_cast<unsigned long long>(told.hits), told.alert_of.size());
  gateways_.Stop();
}

}  // namespace
}  // namespace comity::testing
