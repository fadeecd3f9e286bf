// SPDX-License-Identifier: Apache-2.0
// kill -9 of either gateway at random moments of a busy stream: nothing that was acknowledged is
// lost, at either agency. COMITY_CRASH_KILLS sets how often (6).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <map>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "services/audit/events.h"
#include "services/runtime/guarded.h"
#include "tests/e2e/exported_log.h"
#include "tests/e2e/gateway_process.h"
#include "tests/e2e/two_agencies.h"
#include "tests/support/result_matchers.h"

namespace comity::testing {
namespace {

using std::chrono::steady_clock;

constexpr std::size_t kEntries = 50;
constexpr std::size_t kInFlight = 8;
constexpr std::size_t kFacesBetween = 20;  // answered before the next kill
constexpr std::chrono::seconds kPatience{30};

int KillsWanted() {
  const char* text = std::getenv("COMITY_CRASH_KILLS");
  return text == nullptr ? 6 : std::max(1, std::atoi(text));
}

// What the engine was told, and may therefore rely on.
struct Acknowledged {
  std::map<std::string, std::string> alert_of;  // exchange id of a face -> alert id
  std::uint64_t answered = 0;                   // faces that were searched
};

// An engine that always has faces under way, every one of them a hit, and opens its stream again
// when it is lost.
class BusyEngine {
 public:
  BusyEngine(const TwoAgencies& agencies, const GatewayProcess& gateway, std::string deployment)
      : agencies_(agencies), gateway_(gateway), deployment_(std::move(deployment)) {}
  ~BusyEngine() { Stop(); }

  void Start() {
    thread_ = std::jthread([this](const std::stop_token& stop) { Run(stop); });
  }
  void Stop() {
    thread_.request_stop();
    if (thread_.joinable()) thread_.join();
  }
  std::uint64_t answered() const {
    return told_.With([](const Acknowledged& told) { return told.answered; });
  }
  Acknowledged told() const {
    return told_.With([](const Acknowledged& told) { return told; });
  }
  // Returns once `count` further faces have been searched; false: not in time.
  bool WaitForAnswers(std::uint64_t count) const {
    const std::uint64_t wanted = answered() + count;
    const auto end = steady_clock::now() + kPatience;
    while (answered() < wanted) {
      if (steady_clock::now() > end) return false;
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    return true;
  }
  // The gateway is about to be killed and started elsewhere: the address is read again.
  void Reconnect() {
    settings_.With([&](EngineSettings& settings) { settings = gateway_.engine(); });
  }

 private:
  void Run(const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      const auto settings = settings_.With([](const EngineSettings& now) { return now; });
      auto engine = EngineClient::Open(settings, deployment_, clock_);
      if (engine) {
        Stream(**engine, stop);
      } else {
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
      }
    }
  }

  void Stream(EngineClient& engine, const std::stop_token& stop) {
    std::uint64_t sequence = 0;
    std::uint64_t received = 0;
    while (!stop.stop_requested()) {
      while (sequence < received + kInFlight) {
        const auto& face = agencies_.entries()[sequence % kEntries];
        ++sequence;
        if (!engine.Send({sequence, "capture-" + std::to_string(sequence), "camera-1", face}))
          break;
      }
      const auto answer = engine.Receive();
      if (!answer) break;
      ++received;
      Note(*answer);
      // A holder that is away answers nothing, at once: not worth a busy loop.
      if (answer->has_unanswered()) std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
    engine.Cancel();
    static_cast<void>(engine.Finish());
  }

  void Note(const v1::WatchAnswer& answer) {
    if (!answer.has_answered()) return;
    EXPECT_EQ(answer.answered().alerts_size(), 1) << answer.DebugString();
    told_.With([&](Acknowledged& told) {
      ++told.answered;
      for (const v1::AlertRef& alert : answer.answered().alerts()) {
        told.alert_of[answer.exchange_id()] = alert.alert();
      }
    });
  }

  const TwoAgencies& agencies_;
  const GatewayProcess& gateway_;
  const std::string deployment_;
  runtime::SystemClock clock_;
  runtime::Guarded<EngineSettings> settings_{gateway_.engine()};
  runtime::Guarded<Acknowledged> told_;
  std::jthread thread_;
};

std::set<std::string> StoredAlerts(const LiveAgency& agency) {
  grpc::ClientContext context;
  v1::ListAlertsRequest request;
  v1::ListAlertsResponse response;
  request.set_limit(1000);
  const auto status = agency.alerts()->List(&context, request, &response);
  EXPECT_TRUE(status.ok()) << status.error_message();
  std::set<std::string> ids;
  for (const v1::Alert& alert : response.alerts()) ids.insert(alert.alert());
  return ids;
}

class Crash : public ::testing::Test {
 protected:
  void SetUp() override {
    agencies_.ImportEntries(kEntries);
    deployment_ = agencies_.CreateDeployment();
    agencies_.police().Stop();
    agencies_.council().Stop();
    ASSERT_TRUE(police_.Start()) << police_.log();
    ASSERT_TRUE(council_.Start()) << council_.log();
  }

  void KillOne(BusyEngine& engine, std::mt19937_64& random) {
    GatewayProcess& victim = random() % 2 == 0 ? police_ : council_;
    std::this_thread::sleep_for(std::chrono::microseconds(random() % 300'000));
    victim.Kill();
    ASSERT_TRUE(victim.Start()) << "it does not start again\n" << victim.log();
    engine.Reconnect();
    ASSERT_TRUE(engine.WaitForAnswers(kFacesBetween)) << police_.log() << council_.log();
  }

  // Both agencies' records, each read through a gateway that was started on what the crashes left.
  void CheckRecords(const Acknowledged& told) {
    agencies_.police().Start({&agencies_.council()});
    agencies_.council().Start({&agencies_.police()});
    const auto holder = WholeLog::Of(agencies_.police());
    const auto requester = WholeLog::Of(agencies_.council());
    ASSERT_THAT(holder, IsOk());
    ASSERT_THAT(requester, IsOk());
    const std::set<std::string> stored = StoredAlerts(agencies_.council());
    for (const auto& [exchange, alert] : told.alert_of) {
      EXPECT_TRUE(stored.contains(alert)) << alert << " was acknowledged and is lost";
      const auto raised = requester->MessageOf(audit::kAlertRaised, exchange, "answer");
      const auto answered = holder->MessageOf(audit::kSearchHit, exchange, "answer");
      ASSERT_TRUE(raised.has_value()) << "no audit entry of the alert of " << exchange;
      ASSERT_TRUE(answered.has_value()) << "the holder has no entry of the hit of " << exchange;
      EXPECT_EQ(*raised, *answered) << "the agencies logged different answers to " << exchange;
    }
    // Reserved in the log, at each gateway, before any face was searched.
    EXPECT_GE(holder->Sum(audit::kCapacityReserved, "amount"), told.answered);
    EXPECT_GE(requester->Sum(audit::kCapacityReserved, "amount"), told.answered);
    EXPECT_GE(holder->Count(audit::kSearchHit), told.alert_of.size());
  }

  TwoAgencies agencies_{128};
  GatewayProcess police_{agencies_.police()};
  GatewayProcess council_{agencies_.council()};
  std::string deployment_;
};

TEST_F(Crash, LosesNothingThatWasAcknowledgedAtEitherAgency) {
  const std::uint64_t seed = std::random_device()();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  BusyEngine engine(agencies_, council_, deployment_);
  engine.Start();
  ASSERT_TRUE(engine.WaitForAnswers(kFacesBetween)) << council_.log();
  for (int kills = KillsWanted(); kills > 0 && !HasFatalFailure(); --kills) KillOne(engine, random);
  ASSERT_FALSE(HasFatalFailure());
  // The last two fall in mid-stream, so that the check sees what a crash leaves.
  council_.Kill();
  police_.Kill();
  engine.Stop();
  CheckRecords(engine.told());
}

}  // namespace
}  // namespace comity::testing
