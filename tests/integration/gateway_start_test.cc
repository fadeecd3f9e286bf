// SPDX-License-Identifier: Apache-2.0
// In which order a gateway over a PostgreSQL database starts: it waits for its turn, looks at what
// it finds then, and only then reads and opens. No server answers here.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <future>
#include <memory>
#include <optional>
#include <sstream>
#include <thread>

#include "services/runtime/config.h"
#include "services/runtime/directory_lock.h"
#include "tests/integration/live_agency.h"
#include "tests/support/process.h"
#include "tests/support/result_matchers.h"

namespace comity::testing {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::AllOf;
using ::testing::HasSubstr;

class GatewayStart : public ::testing::Test {
 protected:
  void SetUp() override {
    agency_.Configure("[store]\nurl = \"postgresql://comity_gateway@127.0.0.1:" +
                      std::to_string(FreePort()) + "/comity\"\n");
    agency_.WriteConfig();
    auto config = runtime::LoadConfig(agency_.config_file());
    ASSERT_TRUE(config.has_value());
    config_ = std::make_unique<runtime::Config>(*std::move(config));
  }

  // What the start ends with.
  Error Start(const gateway::StartRules& rules) {
    auto gateway = gateway::Gateway::Start(*config_, clock_, *logger_, rules);
    EXPECT_FALSE(gateway.has_value());
    return gateway ? Error() : gateway.error();
  }
  std::future<Error> Begin(gateway::StartRules rules) {
    return std::async(std::launch::async,
                      [this, rules = std::move(rules)] { return Start(rules); });
  }
  runtime::Descriptor AnotherGateway() {
    auto lock = runtime::LockDirectory(config_->data_directory);
    EXPECT_THAT(lock, IsOk());
    return *std::move(lock);
  }

  LiveAgency agency_{"northshire-police"};
  runtime::SystemClock clock_;
  std::ostringstream log_;
  std::unique_ptr<runtime::Logger> logger_ =
      runtime::MakeStreamLogger(runtime::LogLevel::kInfo, clock_, log_);
  std::unique_ptr<runtime::Config> config_;
};

TEST_F(GatewayStart, LooksAtTheClockWhenItsTurnComesAndNotBefore) {
  std::optional<runtime::Descriptor> other = AnotherGateway();
  std::atomic<int> looks = 0;
  gateway::StartRules rules;
  rules.check = [&]() -> Status {
    ++looks;
    return Fail(ErrorCode::kConflict, "the clock is wrong");
  };
  auto start = Begin(rules);
  EXPECT_EQ(start.wait_for(seconds(1)), std::future_status::timeout);
  EXPECT_EQ(looks, 0);
  other.reset();
  EXPECT_EQ(start.get().detail, "the clock is wrong");
  EXPECT_EQ(looks, 1);
}

TEST_F(GatewayStart, ReadsTheKeysThatAreThereWhenItsTurnComes) {
  const std::filesystem::path key = agency_.pki() / "keys" / "agency-signing.key";
  const std::filesystem::path aside = agency_.pki() / "keys" / "aside";
  std::filesystem::rename(key, aside);
  gateway::StartRules rules;
  rules.database_wait = seconds(0);
  EXPECT_THAT(Start(rules).detail, HasSubstr("keys.signing"));
  // The key comes while it waits.
  rules.check = [&]() -> Status {
    std::filesystem::rename(aside, key);
    return {};
  };
  EXPECT_THAT(Start(rules).detail, HasSubstr("store.url"));
}

TEST_F(GatewayStart, EndsWhenADatabaseThatWasNeverReachedStaysAway) {
  gateway::StartRules rules;
  rules.database_wait = seconds(1);
  const Error error = Start(rules);
  EXPECT_EQ(error.code, ErrorCode::kUnavailable);
  EXPECT_THAT(error.detail, AllOf(HasSubstr("store.url"), HasSubstr("127.0.0.1")));
}

TEST_F(GatewayStart, WaitsAsLongAsItTakesForADatabaseThatAnotherGatewayWorkedWith) {
  std::optional<runtime::Descriptor> other = AnotherGateway();
  std::stop_source stop;
  gateway::StartRules rules;
  rules.stop = stop.get_token();
  rules.database_wait = seconds(0);
  auto start = Begin(rules);
  std::this_thread::sleep_for(milliseconds(500));  // so that it meets the lock
  other.reset();
  EXPECT_EQ(start.wait_for(seconds(4)), std::future_status::timeout);
  stop.request_stop();
  EXPECT_THAT(start.get().detail, HasSubstr("store.url"));
}

}  // namespace
}  // namespace comity::testing
