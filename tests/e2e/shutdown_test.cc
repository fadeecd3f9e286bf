// SPDX-License-Identifier: Apache-2.0
// `comityd` as a process: how it ends, and what it refuses to start with.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sys/resource.h>

#include <chrono>
#include <fstream>
#include <iterator>
#include <regex>
#include <string>
#include <thread>

#include "services/audit/events.h"
#include "tests/e2e/exported_log.h"
#include "tests/e2e/gateway_process.h"
#include "tests/e2e/two_agencies.h"
#include "tests/support/result_matchers.h"

namespace comity::testing {
namespace {

using std::chrono::steady_clock;

class Shutdown : public ::testing::Test {
 protected:
  void SetUp() override {
    agencies_.ImportEntries(20);
    deployment_ = agencies_.CreateDeployment();
    agencies_.police().Stop();
    agencies_.council().Stop();
    ASSERT_TRUE(police_.Start()) << police_.log();
    ASSERT_TRUE(council_.Start()) << council_.log();
    auto engine = EngineClient::Open(council_.engine(), deployment_, clock_);
    ASSERT_THAT(engine, IsOk());
    engine_ = *std::move(engine);
    ASSERT_TRUE(engine_->Send({1, "capture-1", "camera-1", agencies_.entries()[3]}));
    const auto answer = engine_->Receive();
    ASSERT_THAT(answer, IsOk());
    ASSERT_EQ(answer->answered().alerts_size(), 1) << answer->DebugString();
  }

  // Ends a gateway while the stream is open; it must end by itself, in time and as asked.
  static void ExpectCleanStop(GatewayProcess& gateway) {
    const auto start = steady_clock::now();
    const auto exit_code = gateway.Stop(std::chrono::seconds(10));
    const auto taken = steady_clock::now() - start;
    ASSERT_TRUE(exit_code.has_value()) << "it had to be killed\n" << gateway.log();
    EXPECT_EQ(*exit_code, 0) << gateway.log();
    EXPECT_LT(taken, std::chrono::seconds(5));
  }

  runtime::SystemClock clock_;
  TwoAgencies agencies_{128};
  GatewayProcess police_{agencies_.police()};
  GatewayProcess council_{agencies_.council()};
  std::string deployment_;
  std::unique_ptr<EngineClient> engine_;
};

TEST_F(Shutdown, OfTheRequesterIsCleanWithinFiveSecondsUnderAnOpenStream) {
  ExpectCleanStop(council_);
  EXPECT_THAT(engine_->Receive(), FailsWith(ErrorCode::kNotFound)) << "the stream has ended";
  agencies_.council().Start({&agencies_.police()});
  const auto log = WholeLog::Of(agencies_.council());
  ASSERT_THAT(log, IsOk());
  EXPECT_EQ(log->Count(audit::kSearchOpened), 1u);
  EXPECT_EQ(log->Count(audit::kSearchClosed), 1u);
  EXPECT_EQ(log->Count(audit::kAlertRaised), 1u);
  // Set-up ran in this process, then the process under test, and now this process again.
  EXPECT_EQ(log->Count(audit::kGatewayStarted), 3u);
  EXPECT_EQ(log->Count(audit::kGatewayStopped), 2u);
}

// Keys and templates are in its memory.
TEST_F(Shutdown, OfAGatewayThatCrashesLeavesNoCoreFile) {
  police_.Kill();
  struct rlimit own = {};
  ASSERT_EQ(::getrlimit(RLIMIT_CORE, &own), 0);
  own.rlim_cur = own.rlim_max;
  ASSERT_EQ(::setrlimit(RLIMIT_CORE, &own), 0);  // as far as this system allows it
  ASSERT_TRUE(police_.Start()) << police_.log();
  std::ifstream limits("/proc/" + std::to_string(police_.pid()) + "/limits");
  const std::string text{std::istreambuf_iterator<char>(limits), {}};
  EXPECT_TRUE(std::regex_search(text, std::regex("Max core file size +0 +0 "))) << text;
}

// Nor are its keys written to swap meanwhile.
// Sanitizers let no program lock memory, and tell it that it did.
#if defined(__has_feature)
constexpr bool kLocksAreReal = !__has_feature(address_sanitizer);
#else
constexpr bool kLocksAreReal = true;
#endif

TEST_F(Shutdown, LeavesNoKeyInSwap) {
  std::ifstream status("/proc/" + std::to_string(police_.pid()) + "/status");
  const std::string text{std::istreambuf_iterator<char>(status), {}};
  std::smatch locked;
  ASSERT_TRUE(std::regex_search(text, locked, std::regex("VmLck:\\s+(\\d+) kB"))) << text;
  if (kLocksAreReal) {
    EXPECT_GE(std::stoi(locked[1]), 4) << "RLIMIT_MEMLOCK of this machine may be too low";
  }
  EXPECT_EQ(police_.log().find("keys-not-locked"), std::string::npos) << police_.log();
}

TEST_F(Shutdown, OfTheHolderIsCleanWithinFiveSecondsUnderAnOpenStream) {
  ExpectCleanStop(police_);
  ASSERT_TRUE(engine_->Send({2, "capture-2", "camera-1", agencies_.entries()[4]}));
  const auto answer = engine_->Receive();
  ASSERT_THAT(answer, IsOk());
  EXPECT_TRUE(answer->has_unanswered()) << answer->DebugString();
  agencies_.police().Start({&agencies_.council()});
  const auto log = WholeLog::Of(agencies_.police());
  ASSERT_THAT(log, IsOk());
  EXPECT_EQ(log->Count(audit::kSearchHit), 1u);
  EXPECT_EQ(log->Count(audit::kSearchClosed), 1u);
  EXPECT_EQ(log->Count(audit::kGatewayStopped), 2u);
}

}  // namespace
}  // namespace comity::testing
