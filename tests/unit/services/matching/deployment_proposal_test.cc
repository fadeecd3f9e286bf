// SPDX-License-Identifier: Apache-2.0
#include "services/matching/deployment_proposal.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "services/matching/exchange_id.h"
#include "tests/support/result_matchers.h"
#include "tests/unit/services/matching/holder_world.h"

namespace comity::matching {
namespace {

using comity::testing::FailsWith;
using comity::testing::IsOk;
using ::testing::HasSubstr;
using testing::HolderWorld;
using ::testing::Not;

DeploymentProposal Proposal(HolderWorld& world) {
  DeploymentProposal proposal{NewDeploymentId(world.random), world.Operation(), {}};
  HolderForecast police;
  police.agency = world.police;
  police.code = policy::ReasonCode::kPermit;
  police.threshold_floor = 0.5;
  police.reached = true;
  police.entries = 900;
  police.categories = {{"wanted-by-courts", 600}, {"missing-at-risk", 300}};
  HolderForecast health;
  health.agency = policy::AgencyId::Parse("riverside-health").value();
  health.code = policy::ReasonCode::kAgreementSuspended;
  proposal.holders = {police, health};
  return proposal;
}

TEST(DeploymentProposal, ReadsBackWhatItWrote) {
  HolderWorld world;
  const DeploymentProposal proposal = Proposal(world);
  const auto parsed = ParseProposal(EncodeProposal(proposal));
  ASSERT_THAT(parsed, IsOk());
  EXPECT_EQ(*parsed, proposal);
}

TEST(DeploymentProposal, IsNotReadFromAnythingElse) {
  HolderWorld world;
  const std::string good = EncodeProposal(Proposal(world));
  for (std::size_t size = 0; size < good.size(); size += 11) {
    EXPECT_THAT(ParseProposal(good.substr(0, size)), FailsWith(ErrorCode::kInvalidArgument));
  }
  for (const auto& [from, to] : {std::pair<std::string, std::string>{"\"permit\"", "\"granted\""},
                                 {"\"reached\":true", "\"reached\":1"},
                                 {"\"entries\":900", "\"entries\":-1"},
                                 {"\"missing-at-risk\":300", "\"missing-at-risk\":-1"},
                                 {"\"holders\"", "\"holdres\""},
                                 {"{\"definition\"", "{\"additional\":1,\"definition\""},
                                 {"\"threshold_floor\":\"0.5\"", "\"threshold_floor\":\"0.50\""}}) {
    std::string bad = good;
    ASSERT_NE(bad.find(from), std::string::npos) << from;
    bad.replace(bad.find(from), from.size(), to);
    EXPECT_THAT(ParseProposal(bad), FailsWith(ErrorCode::kInvalidArgument)) << bad;
  }
}

TEST(DeploymentProposal, SaysWhyWhoWhereWhenAndWhatIsToBeExpected) {
  HolderWorld world;
  const std::string words = DescribeProposal(Proposal(world));
  for (const char* part :
       {"Why: Court warrants, market day (case EV-2026-114)", "Where: Market Square",
        "wanted-by-courts 600", "missing-at-risk 300", "threshold floor 0.5", "threshold 0.9",
        "would refuse (agreement-suspended)", "sizes are unknown", "5000 faces against 900 entries",
        "share of the budget 100 %", "false match rate 1e-06 (engine test 2026-03)",
        "Predicted false alerts: 4.5, 1 in 1.11e+03 faces; budget 1 in 1000"}) {
    EXPECT_THAT(words, HasSubstr(part));
  }
  EXPECT_THAT(words, Not(HasSubstr("BEYOND")));
}

TEST(DeploymentProposal, SaysWhenThePredictionIsBeyondTheBudget) {
  HolderWorld world;
  DeploymentProposal proposal = Proposal(world);
  proposal.definition.false_match_rate = 1e-5;
  EXPECT_THAT(DescribeProposal(proposal), HasSubstr("BEYOND THE BUDGET"));
}

}  // namespace
}  // namespace comity::matching
