// SPDX-License-Identifier: Apache-2.0
#include "services/matching/deployments.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <limits>

#include "services/audit/events.h"
#include "services/matching/exchange_id.h"
#include "tests/support/result_matchers.h"
#include "tests/unit/services/matching/holder_world.h"

namespace comity::matching {
namespace {

using comity::testing::FailsWith;
using comity::testing::IsOk;
using testing::At;
using testing::Category;
using ::testing::HasSubstr;
using testing::HolderWorld;
using testing::kNow;
using ::testing::SizeIs;

std::unique_ptr<Deployments> OpenDeployments(HolderWorld& world, std::size_t room = 64) {
  auto opened = Deployments::Open({.own_agency = world.council,
                                   .store = *world.store,
                                   .journal = *world.journal,
                                   .clock = world.clock,
                                   .random = world.random,
                                   .barrier = world.barrier,
                                   .max_unfinished = room});
  COMITY_CHECK(opened.has_value());
  return *std::move(opened);
}

struct BadField {
  std::string field;
  std::function<void(Deployment&)> change;
};

class DeploymentFields : public ::testing::TestWithParam<BadField> {};

TEST_P(DeploymentFields, AreRefusedByName) {
  HolderWorld world;
  Deployment deployment = world.Operation();
  ASSERT_THAT(CheckDeployment(deployment, At(kNow)), IsOk());
  GetParam().change(deployment);
  const Status status = CheckDeployment(deployment, At(kNow));
  ASSERT_THAT(status, FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_THAT(status.error().detail, HasSubstr("deployment: " + GetParam().field + " "));
}

INSTANTIATE_TEST_SUITE_P(
    EachBrokenOnce, DeploymentFields,
    ::testing::Values(
        BadField{"agreement", [](auto& d) { d.agreement = {}; }},
        BadField{"purpose", [](auto& d) { d.purpose = {}; }},
        BadField{"list_categories", [](auto& d) { d.list_categories.clear(); }},
        BadField{"list_categories", [](auto& d) { d.list_categories.resize(17); }},
        BadField{"list_categories",
                 [](auto& d) { d.list_categories.push_back(d.list_categories[0]); }},
        BadField{"list_categories", [](auto& d) { d.list_categories = {Category("everybody")}; }},
        BadField{"engine.name", [](auto& d) { d.engine.name = ""; }},
        BadField{"engine.version", [](auto& d) { d.engine.version = "\n"; }},
        BadField{"engine.dimension", [](auto& d) { d.engine.dimension = 31; }},
        BadField{"engine_name", [](auto& d) { d.engine_name = "Camera Hall"; }},
        BadField{"threshold", [](auto& d) { d.threshold = 0; }},
        BadField{"threshold", [](auto& d) { d.threshold = 1.01; }},
        BadField{"threshold",
                 [](auto& d) { d.threshold = std::numeric_limits<double>::quiet_NaN(); }},
        BadField{"place", [](auto& d) { d.place = ""; }},
        BadField{"place", [](auto& d) { d.place = std::string(257, 'x'); }},
        BadField{"reason", [](auto& d) { d.reason = ""; }},
        BadField{"reason", [](auto& d) { d.reason = std::string(1001, 'x'); }},
        BadField{"reason", [](auto& d) { d.reason = "bell\a"; }},
        BadField{"reason", [](auto& d) { d.reason = "\xc0\x80"; }},
        BadField{"case_ref", [](auto& d) { d.case_ref = ""; }},
        BadField{"case_ref", [](auto& d) { d.case_ref = std::string(65, 'x'); }},
        BadField{"mode", [](auto& d) { d.mode.reset(); }},
        BadField{"ends_at", [](auto& d) { d.ends_at = d.starts_at; }},
        BadField{"ends_at",
                 [](auto& d) {
                   d.ends_at = d.starts_at + std::chrono::hours(24) + std::chrono::microseconds(1);
                 }},
        BadField{"ends_at", [](auto& d) {
                   d.starts_at = At(kNow - 100);
                   d.ends_at = At(kNow);
                 }}));

TEST(Deployment, OfExactlyADayIsAllowed) {
  HolderWorld world;
  Deployment deployment = world.Operation();
  deployment.ends_at = deployment.starts_at + std::chrono::hours(24);
  EXPECT_THAT(CheckDeployment(deployment, At(kNow)), IsOk());
}

TEST(Deployment, ReadsBackWhatItWroteWithTheSameThreshold) {
  HolderWorld world;
  Deployment deployment = world.Operation();
  deployment.reason = "Zoë's \"case\"";
  for (const double threshold : {0.1, 1.0 / 3, std::nextafter(1.0, 0.0), 1.0, 5e-324}) {
    deployment.threshold = threshold;
    const auto parsed = ParseDeployment(EncodeDeployment(deployment));
    ASSERT_THAT(parsed, IsOk());
    EXPECT_EQ(*parsed, deployment);
  }
}

TEST(Deployment, IsNotReadFromAnythingElse) {
  HolderWorld world;
  const std::string good = EncodeDeployment(world.Operation());
  for (std::size_t size = 0; size < good.size(); size += 7) {
    EXPECT_THAT(ParseDeployment(good.substr(0, size)), FailsWith(ErrorCode::kCorrupt));
  }
  for (const auto& [from, to] : {std::pair<std::string, std::string>{"\"0.9\"", "\"0.90\""},
                                 {"\"0.9\"", "0"},
                                 {"\"direct\"", "\"other\""},
                                 {"\"place\"", "\"plaze\""},
                                 {"{\"agreement\"", "{\"aaa\":1,\"agreement\""}}) {
    std::string bad = good;
    ASSERT_NE(bad.find(from), std::string::npos) << from;
    bad.replace(bad.find(from), from.size(), to);
    EXPECT_THAT(ParseDeployment(bad), FailsWith(ErrorCode::kCorrupt)) << bad;
  }
}

TEST(Deployments, GoThroughTheirPhasesByTheClock) {
  HolderWorld world;
  const auto deployments = OpenDeployments(world);
  Deployment definition = world.Operation();
  definition.starts_at = At(kNow + 10);
  definition.ends_at = At(kNow + 20);
  const auto created = deployments->Create(definition, "person/ada");
  ASSERT_THAT(created, IsOk());
  const auto phase_at = [&](std::int64_t seconds) {
    world.clock.Set(At(seconds));
    return deployments->Find(created->id)->phase;
  };
  EXPECT_EQ(phase_at(kNow + 9), DeploymentPhase::kPlanned);
  EXPECT_EQ(phase_at(kNow + 10), DeploymentPhase::kActive);
  EXPECT_EQ(phase_at(kNow + 19), DeploymentPhase::kActive);
  EXPECT_EQ(phase_at(kNow + 20), DeploymentPhase::kOver);
  EXPECT_THAT(deployments->Stop(created->id, "late", "person/ada"),
              FailsWith(ErrorCode::kConflict));
}

TEST(Deployments, AreThereAfterAReopenAsTheyWere) {
  HolderWorld world;
  const auto first = OpenDeployments(world);
  const auto kept = first->Create(world.Operation(), "person/ada");
  const auto stopped = first->Create(world.Operation(), "person/ada");
  ASSERT_THAT(kept, IsOk());
  ASSERT_THAT(stopped, IsOk());
  ASSERT_THAT(first->Stop(stopped->id, "done", "person/ada"), IsOk());
  const auto second = OpenDeployments(world);
  EXPECT_THAT(second->List(), SizeIs(2));
  const auto found = second->Find(kept->id);
  ASSERT_THAT(found, IsOk());
  EXPECT_EQ(*found->definition, *kept->definition);
  EXPECT_EQ(found->phase, DeploymentPhase::kActive);
  EXPECT_EQ(second->Find(stopped->id)->phase, DeploymentPhase::kStopped);
}

TEST(Deployments, LogCaseOperatorAndReasonAsCommitmentsOnly) {
  HolderWorld world;
  const auto deployments = OpenDeployments(world);
  const auto created = deployments->Create(world.Operation(), "person/ada");
  ASSERT_THAT(created, IsOk());
  ASSERT_THAT(deployments->Stop(created->id, "rain", "person/ada"), IsOk());
  const auto events = world.journal->Events(audit::kDeploymentCreated);
  ASSERT_THAT(events, SizeIs(1));
  EXPECT_EQ(events[0].committed.at("case_ref"), "EV-2026-114");
  EXPECT_EQ(events[0].committed.at("operator"), "person/ada");
  EXPECT_EQ(world.journal->Events(audit::kDeploymentStopped)[0].committed.at("reason"), "rain");
  std::string all;
  const auto read = [&](const store::Transaction& transaction) -> Status {
    COMITY_ASSIGN_OR_RETURN(const auto entries, transaction.audit().Read(0, 10));
    for (const auto& entry : entries) all += AsText(entry.entry);
    return {};
  };
  ASSERT_THAT(world.store->Read(read), IsOk());
  for (const char* secret : {"EV-2026-114", "person/ada", "Market Square", "warrants", "rain"}) {
    EXPECT_THAT(all, ::testing::Not(HasSubstr(secret)));
  }
}

TEST(Deployments, AreNotCreatedWhenTheLogCannotBeWritten) {
  HolderWorld world;
  const auto deployments = OpenDeployments(world);
  world.journal->Refuse(true);
  EXPECT_THAT(deployments->Create(world.Operation(), "person/ada"),
              FailsWith(ErrorCode::kUnavailable));
  EXPECT_THAT(deployments->List(), SizeIs(0));
}

TEST(Deployments, HaveALimitThatStoppedAndFinishedOnesDoNotCountFor) {
  HolderWorld world;
  const auto deployments = OpenDeployments(world, 2);
  const auto first = deployments->Create(world.Operation(), "person/ada");
  ASSERT_THAT(first, IsOk());
  ASSERT_THAT(deployments->Create(world.Operation(), "person/ada"), IsOk());
  EXPECT_THAT(deployments->Create(world.Operation(), "person/ada"),
              FailsWith(ErrorCode::kExhausted));
  ASSERT_THAT(deployments->Stop(first->id, "done", "person/ada"), IsOk());
  EXPECT_THAT(deployments->Create(world.Operation(), "person/ada"), IsOk());
}

TEST(Deployments, StopNeedsAReasonAndAnActiveDeployment) {
  HolderWorld world;
  const auto deployments = OpenDeployments(world);
  const auto created = deployments->Create(world.Operation(), "person/ada");
  ASSERT_THAT(created, IsOk());
  EXPECT_THAT(deployments->Stop(created->id, "", "p"), FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_THAT(deployments->Stop(created->id, std::string(1001, 'x'), "p"),
              FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_THAT(deployments->Stop(NewDeploymentId(world.random), "x", "p"),
              FailsWith(ErrorCode::kNotFound));
  EXPECT_THAT(deployments->Stop(created->id, "x", "p"), IsOk());
  EXPECT_THAT(deployments->Stop(created->id, "x", "p"), FailsWith(ErrorCode::kConflict));
}

TEST(Deployments, StopCallsWhoListensOnceAndNotWhoLeft) {
  HolderWorld world;
  const auto deployments = OpenDeployments(world);
  const auto created = deployments->Create(world.Operation(), "person/ada");
  int stays = 0;
  int leaves = 0;
  const auto listening = deployments->OnStop(created->id, [&] { ++stays; });
  {
    const auto left = deployments->OnStop(created->id, [&] { ++leaves; });
  }
  ASSERT_THAT(deployments->Stop(created->id, "x", "p"), IsOk());
  EXPECT_EQ(stays, 1);
  EXPECT_EQ(leaves, 0);
  EXPECT_FALSE(deployments->OnStop(created->id, [] {}).has_value());
}

}  // namespace
}  // namespace comity::matching
