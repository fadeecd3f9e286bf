// SPDX-License-Identifier: Apache-2.0
// kill -9 of either gateway at random moments while withdrawals travel: none is lost and none has
// its effect twice. COMITY_CRASH_KILLS sets how often (6).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <random>
#include <string>
#include <thread>

#include "comity/v1/holdings.grpc.pb.h"
#include "services/audit/events.h"
#include "services/runtime/guarded.h"
#include "services/transport/credentials.h"
#include "services/transport/limits.h"
#include "tests/e2e/exported_log.h"
#include "tests/e2e/gateway_process.h"
#include "tests/e2e/two_agencies.h"
#include "tests/support/result_matchers.h"

namespace comity::testing {
namespace {

using std::chrono::steady_clock;
using namespace std::chrono_literals;

constexpr std::size_t kEntries = 60;
constexpr std::chrono::seconds kPatience{60};

int KillsWanted() {
  const char* text = std::getenv("COMITY_CRASH_KILLS");
  return text == nullptr ? 6 : std::max(1, std::atoi(text));
}

std::string Reference(std::size_t i) {
  return "ref-" + std::to_string(i);
}

class MessageCrash : public ::testing::Test {
 protected:
  void SetUp() override {
    agencies_.ImportEntries(kEntries);
    RaiseAlerts(agencies_.CreateDeployment());
    agencies_.police().Stop();
    agencies_.council().Stop();
    ASSERT_TRUE(police_.Start()) << police_.log();
    ASSERT_TRUE(council_.Start()) << council_.log();
  }

  // One alert for each entry: the council is told of all of them.
  void RaiseAlerts(const std::string& deployment) {
    const auto engine = EngineClient::Open(agencies_.council().engine(), deployment, clock_);
    ASSERT_THAT(engine, IsOk());
    for (std::size_t i = 0; i < kEntries; ++i) {
      ASSERT_TRUE((*engine)->Send(
          {i + 1, "capture-" + std::to_string(i), "camera-1", agencies_.entries()[i]}));
      const auto answer = (*engine)->Receive();
      ASSERT_THAT(answer, IsOk());
      ASSERT_EQ(answer->answered().alerts_size(), 1) << answer->DebugString();
    }
    (*engine)->Cancel();
    static_cast<void>((*engine)->Finish());
  }

  // The agency port of the police's process, as it is at this moment.
  std::shared_ptr<grpc::Channel> ChannelToPolice() {
    const LiveAgency& police = agencies_.police();
    const std::string gateway = police_.engine().gateway;
    const auto port = static_cast<std::uint16_t>(std::stoi(gateway.substr(gateway.find(':') + 1)));
    auto channel = transport::OpenChannel(
        {{"127.0.0.1", port},
         police.person_identity("operator"),
         {police.name(), police.spiffe_id(), police.pki() / "ca" / "ca.pem", {}}},
        {transport::limits::kMaxAgencyMessage, clock_});
    EXPECT_THAT(channel, IsOk());
    return *channel;
  }
  // True once the police have acknowledged the withdrawal, however often they die meanwhile.
  bool Withdraw(const std::string& reference) {
    const auto until = steady_clock::now() + kPatience;
    while (steady_clock::now() < until) {
      grpc::ClientContext context;
      context.set_deadline(std::chrono::system_clock::now() + 5s);
      v1::WithdrawEntryRequest request;
      v1::WithdrawEntryResponse response;
      request.set_watchlist("lantern");
      request.set_reference(reference);
      request.set_reason("the warrant was executed");
      const auto channel = channel_lock_.With([this](bool&) { return ChannelToPolice(); });
      const grpc::Status status =
          v1::Watchlists::NewStub(channel)->Withdraw(&context, request, &response);
      // Withdrawn already: the gateway died between the commit and the answer.
      if (status.ok() || status.error_code() == grpc::StatusCode::FAILED_PRECONDITION) return true;
      std::this_thread::sleep_for(20ms);
    }
    return false;
  }
  void KillOne(std::mt19937_64& random) {
    std::this_thread::sleep_for(std::chrono::microseconds(random() % 300'000));
    const bool is_police = random() % 2 == 0;
    GatewayProcess& victim = is_police ? police_ : council_;
    ++kills_;
    channel_lock_.With([&](bool&) {
      victim.Kill();
      EXPECT_TRUE(victim.Start()) << "it does not start again\n" << victim.log();
    });
  }

  // How many withdrawals have a good receipt. In: missing  says how the others stand; may be null
  std::size_t Acknowledged(std::string* missing = nullptr) {
    const auto stub = v1::Holdings::NewStub(agencies_.police().ChannelOf("operator"));
    std::size_t count = 0;
    for (std::size_t i = 0; i < kEntries; ++i) {
      grpc::ClientContext context;
      v1::HoldersRequest request;
      v1::HoldersResponse response;
      request.set_reference(Reference(i));
      EXPECT_TRUE(stub->OfReference(&context, request, &response).ok());
      const bool good = response.holders_size() == 1 &&
                        response.holders(0).change() == "withdrawn" &&
                        response.holders(0).answer().receipt_verified();
      if (good) ++count;
      if (!good && missing != nullptr) *missing += Reference(i) + " " + response.DebugString();
    }
    return count;
  }
  void CheckRecords() {
    agencies_.police().Start({&agencies_.council()});
    agencies_.council().Start({&agencies_.police()});
    const auto until = steady_clock::now() + kPatience;
    while (Acknowledged() < kEntries && steady_clock::now() < until) {
      std::this_thread::sleep_for(50ms);
    }
    std::string missing;
    EXPECT_EQ(Acknowledged(&missing), kEntries) << missing;
    grpc::ClientContext context;
    v1::ListAlertsRequest request;
    v1::ListAlertsResponse alerts;
    const grpc::Status listed = agencies_.council().alerts()->List(&context, request, &alerts);
    ASSERT_TRUE(listed.ok()) << listed.error_message();
    EXPECT_EQ(alerts.alerts_size(), 0) << "a withdrawal had no effect";
    const auto sender = WholeLog::Of(agencies_.police());
    const auto receiver = WholeLog::Of(agencies_.council());
    ASSERT_THAT(sender, IsOk());
    ASSERT_THAT(receiver, IsOk());
    EXPECT_EQ(sender->Count(audit::kPartnerMessageQueued), kEntries);
    EXPECT_EQ(sender->Count(audit::kReceiptReceived), kEntries);
    EXPECT_EQ(receiver->Count(audit::kPartnerMessageReceived), kEntries);
    // None twice. Not all: what a process had begun to erase when it died is erased at its next
    // start, without a change that could be counted.
    EXPECT_LE(receiver->Sum(audit::kAlertsChanged, "alerts"), kEntries);
    EXPECT_GE(receiver->Sum(audit::kAlertsChanged, "alerts") + kills_, kEntries);
    for (const auto& entry : receiver->entries()) {
      if (entry.type != audit::kPartnerMessageReceived) continue;
      EXPECT_EQ(sender->MessageOf(audit::kReceiptReceived, entry.exchange, "receipt"),
                receiver->MessageOf(audit::kPartnerMessageReceived, entry.exchange, "receipt"));
    }
  }

  runtime::SystemClock clock_;
  TwoAgencies agencies_{128};
  GatewayProcess police_{agencies_.police()};
  GatewayProcess council_{agencies_.council()};
  std::uint64_t kills_ = 2;              // the last two
  runtime::Guarded<bool> channel_lock_;  // a process's port is read while it is not replaced
};

TEST_F(MessageCrash, LosesNoWithdrawalAndRepeatsNone) {
  const std::uint64_t seed = std::random_device()();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  std::atomic<std::size_t> withdrawn = 0;
  {
    std::jthread withdrawing([&] {
      // Spread over all the kills: one comes every 150 ms or so, besides the time of a start.
      const auto pause = KillsWanted() * 200ms / kEntries;
      for (std::size_t i = 0; i < kEntries; ++i) {
        std::this_thread::sleep_for(pause);
        ASSERT_TRUE(Withdraw(Reference(i))) << Reference(i) << "\n" << police_.log();
        ++withdrawn;
      }
    });
    for (int kills = KillsWanted(); kills > 0 && !HasFatalFailure(); --kills) KillOne(random);
  }
  ASSERT_EQ(withdrawn, kEntries);
  // The last two fall in the middle of whatever goes on, so that the check sees what they leave.
  police_.Kill();
  council_.Kill();
  CheckRecords();
}

}  // namespace
}  // namespace comity::testing
