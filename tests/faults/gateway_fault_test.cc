// SPDX-License-Identifier: Apache-2.0
// A whole gateway on a disk that fails at any call: it starts, records that, and stops.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <string>

#include "tests/e2e/exported_log.h"
#include "tests/e2e/gateway_process.h"
#include "tests/faults/fault_run.h"
#include "tests/support/result_matchers.h"

namespace comity::testing {
namespace {

using ::testing::AnyOf;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr std::uint64_t kUsualRuns = 3;  // for each fault
constexpr int kKilled = 128 + 9;

class GatewayFault : public ::testing::TestWithParam<Strike> {
 protected:
  void SetUp() override {
    agency_.Start({});
    agency_.Stop();
  }
  // For a second and a half, unless it ends before.
  CommandOutput RunGateway(FaultRun& disk) {
    const auto output = disk.Run({"timeout", "--preserve-status", "1.5", ComitydPath(), "--config",
                                  agency_.config_file().string()},
                                 COMITY_FAULTY_IO_OBJECT);
    EXPECT_THAT(output, IsOk());
    return output ? *output : CommandOutput();
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
};

TEST_P(GatewayFault, StartsOrSaysWhyNotAndLosesNothing) {
  Strike strike = GetParam();
  FaultRun counted(agency_.data(), plans_.path() / "count", {});
  const CommandOutput undisturbed = RunGateway(counted);
  ASSERT_EQ(undisturbed.exit_code, 0) << undisturbed.err;
  ASSERT_GT(counted.plan().calls, 20u);
  ExpectWhole();
  for (const std::uint64_t at : PickCalls(counted.plan().calls, kUsualRuns)) {
    strike.at = at;
    FaultRun disk(agency_.data(), plans_.path() / ("plan-" + std::to_string(at)), strike);
    const CommandOutput output = RunGateway(disk);
    const bool torn = strike.fault == Fault::kTorn && disk.plan().fired != 0;
    if (torn) {
      EXPECT_EQ(output.exit_code, kKilled);
    }
    if (!torn) {
      EXPECT_THAT(output.exit_code, AnyOf(0, 1)) << output.err;
    }
    if (output.exit_code == 1) {
      EXPECT_THAT(output.err, Not(IsEmpty()));
    }
    ExpectWhole();
    if (HasFailure()) {
      FAIL() << Describe(strike) << ": " << disk.plan().call << "\n" << output.out << output.err;
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
