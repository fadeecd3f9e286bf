// SPDX-License-Identifier: Apache-2.0
// A whole gateway on a disk that fails at any call: it starts, records that, and stops.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "tests/e2e/exported_log.h"
#include "tests/e2e/gateway_process.h"
#include "tests/faults/fault_run.h"
#include "tests/support/result_matchers.h"

namespace comity::testing {
namespace {

using std::chrono::steady_clock;
using ::testing::AnyOf;
using namespace std::chrono_literals;

constexpr std::uint64_t kUsualRuns = 3;  // for each fault
constexpr int kKilled = 128 + 9;
constexpr auto kPatience = 60s;
constexpr const char* kListens = " listens on ";

class GatewayFault : public ::testing::TestWithParam<Strike> {
 protected:
  void SetUp() override {
    agency_.Start({});
    agency_.Stop();
  }
  struct Ended {
    std::optional<int> exit_code;  // absent: it had to be killed
    std::string said;
  };
  // Until a second after it listens, unless it ends before.
  Ended RunGateway(const FaultRun& disk) {
    std::vector<std::string> words = disk.Before(COMITY_FAULTY_IO_OBJECT);
    words.insert(words.end(), {ComitydPath(), "--config", agency_.config_file().string()});
    const auto log = plans_.path() / ("log-" + std::to_string(++runs_));
    auto process = Process::Start(words, log);
    EXPECT_THAT(process, IsOk());
    if (!process) return {};
    auto until = steady_clock::now() + kPatience;
    for (bool listens = false; !process->HasEnded() && steady_clock::now() < until;) {
      if (!listens && ReadText(log).find(kListens) != std::string::npos) {
        listens = true;
        until = steady_clock::now() + 1s;
      }
      std::this_thread::sleep_for(10ms);
    }
    const auto exit_code = process->Stop(kPatience);
    return {exit_code, ReadText(log)};
  }
  static std::string ReadText(const std::filesystem::path& path) {
    std::ifstream stream(path);
    return {std::istreambuf_iterator<char>(stream), {}};
  }
  // A line for people that is not about its ports.
  static bool SaysWhy(const std::string& said) {
    std::istringstream lines(said);
    for (std::string line; std::getline(lines, line);) {
      if (line.starts_with("comityd: ") && line.find(kListens) == std::string::npos) return true;
    }
    return false;
  }
  // The gateway comes up on what is there, and its whole log verifies.
  void ExpectWhole() {
    ASSERT_THAT(agency_.Restart(), IsOk());
    const auto log = WholeLog::Of(agency_);
    EXPECT_THAT(log, IsOk());
    agency_.Stop();
    if (!log) return;
    EXPECT_GE(log->Count("gateway-started"), starts_);
    starts_ = log->Count("gateway-started");
  }

  TemporaryDirectory plans_;
  LiveAgency agency_{"northshire-police"};
  std::size_t starts_ = 0;
  int runs_ = 0;
};

TEST_P(GatewayFault, StartsOrSaysWhyNotAndLosesNothing) {
  Strike strike = GetParam();
  FaultRun counted(agency_.data(), plans_.path() / "count", {});
  const Ended undisturbed = RunGateway(counted);
  ASSERT_EQ(undisturbed.exit_code, 0) << undisturbed.said;
  ASSERT_GT(counted.plan().calls, 20u);
  ExpectWhole();
  for (const std::uint64_t at : PickCalls(counted.plan().calls, kUsualRuns)) {
    strike.at = at;
    FaultRun disk(agency_.data(), plans_.path() / ("plan-" + std::to_string(at)), strike);
    const Ended output = RunGateway(disk);
    const bool torn = strike.fault == Fault::kTorn && disk.plan().fired != 0;
    if (torn) {
      EXPECT_EQ(output.exit_code, kKilled);
    }
    if (!torn) {
      EXPECT_THAT(output.exit_code, AnyOf(0, 1)) << output.said;
    }
    if (output.exit_code == 1) {
      EXPECT_TRUE(SaysWhy(output.said)) << output.said;
    }
    ExpectWhole();
    if (HasFailure()) {
      FAIL() << Describe(strike) << ": " << disk.plan().call << "\n" << output.said;
    }
  }
}

std::string NameOf(const ::testing::TestParamInfo<Strike>& of) {
  constexpr std::array kNames = {"", "Full", "Quota", "Failed", "ReadOnly", "Short", "Torn"};
  return std::string(kNames.at(static_cast<std::size_t>(of.param.fault))) +
         (of.param.lasts ? "ForGood" : "Once");
}

INSTANTIATE_TEST_SUITE_P(Kind, GatewayFault,
                         ::testing::Values(Strike{Fault::kFull, 0, true}, Strike{Fault::kFailed},
                                           Strike{Fault::kFailed, 0, true}, Strike{Fault::kTorn}),
                         NameOf);

}  // namespace
}  // namespace comity::testing
