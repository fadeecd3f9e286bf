// SPDX-License-Identifier: Apache-2.0
#include "services/matching/deployments.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <limits>
#include <thread>

#include "services/audit/events.h"
#include "services/matching/exchange_id.h"
#include "services/matching/search_order.h"
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

// A deployment that two people have decided on.
Result<DeploymentStatus> Start(HolderWorld& world, Deployments& deployments,
                               const Deployment& definition) {
  const policy::DeploymentId id = deployments.NewId();
  COMITY_RETURN_IF_ERROR(
      world.journal->Commit([&](store::Transaction& transaction, audit::Recorder& recorder) {
        return deployments.Start(transaction, recorder,
                                 {.id = id,
                                  .definition = definition,
                                  .reason = {},
                                  .proposed_by = "person/ada",
                                  .approved_by = "person/grace"});
      }));
  COMITY_RETURN_IF_ERROR(deployments.Refresh(id));
  return deployments.Find(id);
}

// The same with another definition.
Status Change(HolderWorld& world, Deployments& deployments, const policy::DeploymentId& id,
              const Deployment& definition) {
  COMITY_RETURN_IF_ERROR(
      world.journal->Commit([&](store::Transaction& transaction, audit::Recorder& recorder) {
        return deployments.Change(transaction, recorder,
                                  {.id = id,
                                   .definition = definition,
                                   .reason = "light",
                                   .proposed_by = "person/ada",
                                   .approved_by = "person/grace"});
      }));
  return deployments.Refresh(id);
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
        BadField{"agreements", [](auto& d) { d.agreements.clear(); }},
        BadField{"agreements", [](auto& d) { d.agreements.resize(1 + 32); }},
        BadField{"agreements", [](auto& d) { d.agreements.emplace_back(); }},
        BadField{"agreements", [](auto& d) { d.agreements.push_back(d.agreements[0]); }},
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
        BadField{"offence.code", [](auto& d) { d.offence = Offence{"", 5}; }},
        BadField{"offence.max_penalty_years", [](auto& d) { d.offence = Offence{"s8", 100}; }},
        BadField{"expected_faces", [](auto& d) { d.expected_faces = 0; }},
        BadField{"expected_faces", [](auto& d) { d.expected_faces = 100'000'001; }},
        BadField{"false_match_rate", [](auto& d) { d.false_match_rate = 0; }},
        BadField{"false_match_rate", [](auto& d) { d.false_match_rate = 1; }},
        BadField{"false_match_rate",
                 [](auto& d) { d.false_match_rate = std::numeric_limits<double>::quiet_NaN(); }},
        BadField{"test_report", [](auto& d) { d.test_report = ""; }},
        BadField{"faces_per_false_alert", [](auto& d) { d.faces_per_false_alert = 99; }},
        BadField{"faces_per_false_alert", [](auto& d) { d.faces_per_false_alert = 1'000'001; }},
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

TEST(Deployment, ReadsBackItsOffenceAndTellsTheHolderItsClass) {
  HolderWorld world;
  Deployment deployment = world.Operation();
  EXPECT_FALSE(OrderOf(deployment, {}, "ada", world.council)->request.offence_class.has_value());
  deployment.offence = Offence{"theft-act-1968-s8", 14};
  const auto parsed = ParseDeployment(EncodeDeployment(deployment));
  ASSERT_THAT(parsed, IsOk());
  EXPECT_EQ(*parsed, deployment);
  const auto order = OrderOf(deployment, {}, "ada", world.council);
  EXPECT_EQ(order->request.offence_class, policy::OffenceClass::k4YearsOrMore);
  EXPECT_EQ(order->justification.at("offence"), "theft-act-1968-s8/14");
}

TEST(Deployment, IsNotReadFromAnythingElse) {
  HolderWorld world;
  const std::string good = EncodeDeployment(world.Operation());
  for (std::size_t size = 0; size < good.size(); size += 7) {
    EXPECT_THAT(ParseDeployment(good.substr(0, size)), FailsWith(ErrorCode::kCorrupt));
  }
  for (const auto& [from, to] : {std::pair<std::string, std::string>{"\"0.9\"", "\"0.90\""},
                                 {"\"0.9\"", "0"},
                                 {"\"expected_faces\":5000", "\"expected_faces\":-1"},
                                 {"\"direct\"", "\"other\""},
                                 {"\"place\"", "\"plaze\""},
                                 {"{\"agreements\"", "{\"aaa\":1,\"agreements\""}}) {
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
  const auto started = Start(world, *deployments, definition);
  ASSERT_THAT(started, IsOk());
  const auto phase_at = [&](std::int64_t seconds) {
    world.clock.Set(At(seconds));
    return deployments->Find(started->id)->phase;
  };
  EXPECT_EQ(phase_at(kNow + 9), DeploymentPhase::kPlanned);
  EXPECT_FALSE(deployments->IsActive(started->id));
  EXPECT_EQ(phase_at(kNow + 10), DeploymentPhase::kActive);
  EXPECT_EQ(phase_at(kNow + 19), DeploymentPhase::kActive);
  EXPECT_TRUE(deployments->IsActive(started->id));
  EXPECT_EQ(phase_at(kNow + 20), DeploymentPhase::kOver);
  EXPECT_FALSE(deployments->IsActive(started->id));
  EXPECT_THAT(deployments->Stop(started->id, "late", "person/ada"),
              FailsWith(ErrorCode::kConflict));
}

TEST(Deployments, AreThereAfterAReopenAsTheyWere) {
  HolderWorld world;
  const auto first = OpenDeployments(world);
  const auto kept = Start(world, *first, world.Operation());
  const auto stopped = Start(world, *first, world.Operation());
  ASSERT_THAT(kept, IsOk());
  ASSERT_THAT(stopped, IsOk());
  ASSERT_THAT(first->Stop(stopped->id, "done", "person/ada"), IsOk());
  const auto second = OpenDeployments(world);
  EXPECT_THAT(*second->List(10), SizeIs(2));
  EXPECT_THAT(*second->List(1), SizeIs(1));
  const auto found = second->Find(kept->id);
  ASSERT_THAT(found, IsOk());
  EXPECT_EQ(*found->definition, *kept->definition);
  EXPECT_EQ(found->created_by, "person/ada");
  EXPECT_EQ(found->approved_by, "person/grace");
  EXPECT_EQ(found->phase, DeploymentPhase::kActive);
  EXPECT_EQ(second->Find(stopped->id)->phase, DeploymentPhase::kStopped);
}

TEST(Deployments, LogCasePeopleAndReasonAsCommitmentsOnly) {
  HolderWorld world;
  const auto deployments = OpenDeployments(world);
  const auto started = Start(world, *deployments, world.Operation());
  ASSERT_THAT(started, IsOk());
  ASSERT_THAT(deployments->Stop(started->id, "rain", "person/ada"), IsOk());
  const auto events = world.journal->Events(audit::kDeploymentCreated);
  ASSERT_THAT(events, SizeIs(1));
  EXPECT_EQ(events[0].committed.at("case_ref"), "EV-2026-114");
  EXPECT_EQ(events[0].committed.at("operator"), "person/ada");
  EXPECT_EQ(events[0].committed.at("approver"), "person/grace");
  EXPECT_EQ(world.journal->Events(audit::kDeploymentStopped)[0].committed.at("reason"), "rain");
  std::string all;
  const auto read = [&](const store::Transaction& transaction) -> Status {
    COMITY_ASSIGN_OR_RETURN(const auto entries, transaction.audit().Read(0, 10));
    for (const auto& entry : entries) all += AsText(entry.entry);
    return {};
  };
  ASSERT_THAT(world.store->Read(read), IsOk());
  for (const char* secret :
       {"EV-2026-114", "person/ada", "person/grace", "Market Square", "warrants", "rain"}) {
    EXPECT_THAT(all, ::testing::Not(HasSubstr(secret)));
  }
}

TEST(Deployments, DoNotStartWhenTheLogCannotBeWritten) {
  HolderWorld world;
  const auto deployments = OpenDeployments(world);
  world.journal->Refuse(true);
  EXPECT_THAT(Start(world, *deployments, world.Operation()), FailsWith(ErrorCode::kUnavailable));
  EXPECT_THAT(*deployments->List(10), SizeIs(0));
}

TEST(Deployments, HaveALimitThatStoppedAndFinishedOnesDoNotCountFor) {
  HolderWorld world;
  const auto deployments = OpenDeployments(world, 2);
  const auto first = Start(world, *deployments, world.Operation());
  ASSERT_THAT(first, IsOk());
  ASSERT_THAT(Start(world, *deployments, world.Operation()), IsOk());
  EXPECT_THAT(deployments->CheckProposal(world.Operation()), FailsWith(ErrorCode::kExhausted));
  EXPECT_THAT(Start(world, *deployments, world.Operation()), FailsWith(ErrorCode::kExhausted));
  ASSERT_THAT(deployments->Stop(first->id, "done", "person/ada"), IsOk());
  EXPECT_THAT(deployments->CheckProposal(world.Operation()), IsOk());
  EXPECT_THAT(Start(world, *deployments, world.Operation()), IsOk());
}

TEST(Deployments, StopNeedsAReasonAndAnActiveDeployment) {
  HolderWorld world;
  const auto deployments = OpenDeployments(world);
  const auto started = Start(world, *deployments, world.Operation());
  ASSERT_THAT(started, IsOk());
  EXPECT_THAT(deployments->Stop(started->id, "", "p"), FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_THAT(deployments->Stop(started->id, std::string(1001, 'x'), "p"),
              FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_THAT(deployments->Stop(NewDeploymentId(world.random), "x", "p"),
              FailsWith(ErrorCode::kNotFound));
  EXPECT_THAT(deployments->Stop(started->id, "x", "p"), IsOk());
  EXPECT_THAT(deployments->Stop(started->id, "x", "p"), FailsWith(ErrorCode::kConflict));
}

TEST(Deployments, AreStoppedOnceByManyWhoStopThemAtOnce) {
  HolderWorld world;
  const auto deployments = OpenDeployments(world);
  const auto started = Start(world, *deployments, world.Operation());
  ASSERT_THAT(started, IsOk());
  std::atomic<int> stopped = 0;
  {
    std::vector<std::jthread> people;
    for (int i = 0; i < 8; ++i) {
      people.emplace_back([&] { stopped += deployments->Stop(started->id, "x", "p") ? 1 : 0; });
    }
  }
  EXPECT_EQ(stopped, 1);
  EXPECT_EQ(world.journal->Count(audit::kDeploymentStopped), 1u);
}

TEST(Deployments, StopCallsWhoListensOnceAndNotWhoLeft) {
  HolderWorld world;
  const auto deployments = OpenDeployments(world);
  const auto started = Start(world, *deployments, world.Operation());
  int stays = 0;
  int leaves = 0;
  const auto listening = deployments->OnEnd(started->id, [&] { ++stays; });
  {
    const auto left = deployments->OnEnd(started->id, [&] { ++leaves; });
  }
  ASSERT_THAT(deployments->Stop(started->id, "x", "p"), IsOk());
  EXPECT_EQ(stays, 1);
  EXPECT_EQ(leaves, 0);
  EXPECT_THAT(deployments->OnEnd(started->id, [] {}), FailsWith(ErrorCode::kConflict));
  EXPECT_THAT(deployments->OnEnd(NewDeploymentId(world.random), [] {}),
              FailsWith(ErrorCode::kNotFound));
}

TEST(Deployments, AChangeEndsTheirStreamsAndIsLogged) {
  HolderWorld world;
  const auto deployments = OpenDeployments(world);
  const auto started = Start(world, *deployments, world.Operation());
  int ended = 0;
  const auto listening = deployments->OnEnd(started->id, [&] { ++ended; });
  Deployment changed = world.Operation();
  changed.threshold = 0.85;
  ASSERT_THAT(Change(world, *deployments, started->id, changed), IsOk());
  EXPECT_EQ(ended, 1);
  EXPECT_TRUE(deployments->IsActive(started->id));
  EXPECT_EQ(deployments->Find(started->id)->definition->threshold, 0.85);
  ASSERT_THAT(deployments->Stop(started->id, "x", "p"), IsOk());
  EXPECT_THAT(Change(world, *deployments, started->id, changed), FailsWith(ErrorCode::kConflict));
  EXPECT_EQ(world.journal->Count(audit::kDeploymentChanged), 1u);
}

TEST(Deployments, KeepTheirCountsAcrossAReopen) {
  HolderWorld world;
  const auto deployments = OpenDeployments(world);
  const auto started = Start(world, *deployments, world.Operation());
  const auto tally = *deployments->TallyOf(started->id);
  for (int i = 0; i < 7; ++i) tally->Face();
  tally->Alert(world.police);
  EXPECT_EQ(deployments->Find(started->id)->faces, 7u);
  EXPECT_EQ(OpenDeployments(world)->Find(started->id)->faces, 0u);
  ASSERT_THAT(deployments->Housekeep(), IsOk());
  tally->Face();
  EXPECT_EQ(deployments->Find(started->id)->faces, 8u);
  EXPECT_EQ(OpenDeployments(world)->Find(started->id)->faces, 7u);
  // A stop stores what was counted up to it, and logs it.
  ASSERT_THAT(deployments->Stop(started->id, "x", "p"), IsOk());
  EXPECT_EQ(deployments->Find(started->id)->faces, 8u);
  const auto events = world.journal->Events(audit::kDeploymentStopped);
  EXPECT_EQ(events.at(0).counts.at("faces"), 8);
  EXPECT_EQ(events.at(0).counts.at("alerts"), 1);
}

TEST(Deployments, CountsThatCannotBeStoredAreStoredLater) {
  HolderWorld world;
  const auto deployments = OpenDeployments(world);
  const auto started = Start(world, *deployments, world.Operation());
  (*deployments->TallyOf(started->id))->Face();
  world.journal->Refuse(true);
  EXPECT_FALSE(deployments->Housekeep().has_value());
  EXPECT_EQ(deployments->Find(started->id)->faces, 1u);
  world.journal->Refuse(false);
  ASSERT_THAT(deployments->Housekeep(), IsOk());
  EXPECT_EQ(OpenDeployments(world)->Find(started->id)->faces, 1u);
}

TEST(Deployments, EndAndCloseByThemselvesWithOneEntryEach) {
  HolderWorld world;
  const auto deployments = OpenDeployments(world);
  Deployment definition = world.Operation();
  definition.ends_at = At(kNow + 20);
  const auto started = Start(world, *deployments, definition);
  int ended = 0;
  const auto listening = deployments->OnEnd(started->id, [&] { ++ended; });
  ASSERT_THAT(deployments->Activate(started->id, 1), IsOk());
  ASSERT_THAT(deployments->Activate(started->id, 1), IsOk());
  EXPECT_EQ(world.journal->Count(audit::kDeploymentActivated), 1u);
  world.clock.Set(At(kNow + 21));
  for (int i = 0; i < 3; ++i) ASSERT_THAT(deployments->Housekeep(), IsOk());
  EXPECT_EQ(ended, 1);
  EXPECT_EQ(world.journal->Count(audit::kDeploymentOver), 1u);
  EXPECT_EQ(world.journal->Count(audit::kDeploymentClosed), 1u);
  const auto closed = deployments->Find(started->id);
  ASSERT_THAT(closed, IsOk());
  EXPECT_EQ(closed->phase, DeploymentPhase::kClosed);
  EXPECT_EQ(closed->ended_at, At(kNow + 20));
  EXPECT_EQ(closed->deletion_due_at, At(kNow + 20) + std::chrono::hours(24));
}

TEST(Deployments, AreNotClosedWhileAnAlertOfTheirsIsKept) {
  HolderWorld world;
  const auto deployments = OpenDeployments(world);
  const auto started = Start(world, *deployments, world.Operation());
  store::AlertRecord alert;
  alert.id = "a-1";
  alert.deployment = started->id;
  alert.holder = world.police;
  alert.expires_at = At(kNow) + std::chrono::hours(48);
  alert.wrapped_key = Bytes(8, 1);
  alert.sealed = Bytes(8, 1);
  const auto with = [&](const std::function<Status(store::Transaction&)>& work) {
    ASSERT_THAT(world.journal->Commit([&](store::Transaction& transaction, audit::Recorder&) {
      return work(transaction);
    }),
                IsOk());
  };
  with([&](store::Transaction& transaction) { return transaction.alerts().Put(alert); });
  ASSERT_THAT(deployments->Stop(started->id, "x", "p"), IsOk());
  EXPECT_EQ(deployments->Find(started->id)->deletion_due_at, alert.expires_at);
  ASSERT_THAT(deployments->Housekeep(), IsOk());
  EXPECT_EQ(deployments->Find(started->id)->phase, DeploymentPhase::kStopped);
  with([&](store::Transaction& transaction) -> Status {
    COMITY_RETURN_IF_ERROR(transaction.alerts().EraseExpired(alert.expires_at));
    return {};
  });
  ASSERT_THAT(deployments->Housekeep(), IsOk());
  EXPECT_EQ(deployments->Find(started->id)->phase, DeploymentPhase::kClosed);
  EXPECT_EQ(world.journal->Count(audit::kDeploymentClosed), 1u);
}

}  // namespace
}  // namespace comity::matching
