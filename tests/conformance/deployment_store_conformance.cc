// SPDX-License-Identifier: Apache-2.0
#include "services/store/deployment_store.h"

#include <gmock/gmock.h>

#include "tests/conformance/store_conformance.h"

namespace comity::store {
namespace {

using testing::FailsWith;
using testing::IsOk;
using ::testing::SizeIs;

DeploymentRecord Deployment(std::string_view id) {
  DeploymentRecord deployment;
  deployment.id = MakeId<policy::DeploymentId>(id);
  deployment.created_at = At(100);
  deployment.starts_at = At(200);
  deployment.ends_at = At(300);
  deployment.created_by = "ada";
  deployment.approved_by = "grace";
  deployment.definition = R"({"place":"Old Bridge"})";
  return deployment;
}

DeploymentHolderRecord Holder(std::string_view deployment, std::string_view agency) {
  DeploymentHolderRecord holder;
  holder.deployment = MakeId<policy::DeploymentId>(deployment);
  holder.holder = MakeId<policy::AgencyId>(agency);
  holder.state = HolderState::kStale;
  holder.reason = "too old";
  holder.checked_at = At(10);
  holder.validated_at = At(5);
  holder.entries = 7;
  return holder;
}

const policy::DeploymentId kFirst = MakeId<policy::DeploymentId>("d-1");
const policy::AgencyId kPolice = MakeId<policy::AgencyId>("northshire-police");

Status AddThree(Transaction& transaction) {
  for (const char* id : {"d-1", "d-2", "d-3"}) {
    COMITY_RETURN_IF_ERROR(transaction.deployments().Add(Deployment(id)));
  }
  return {};
}

Result<DeploymentRecord> First(const Transaction& transaction) {
  return transaction.deployments().Get(kFirst);
}

Result<std::vector<DeploymentHolderRecord>> Holders(const Transaction& transaction) {
  return transaction.deployments().Holders(kFirst);
}

}  // namespace

TEST_P(DeploymentStoreConformance, GivesBackEveryField) {
  DeploymentRecord deployment = Deployment("d-1");
  deployment.state = DeploymentState::kOver;
  deployment.activated_at = At(201);
  deployment.ended_at = At(300);
  deployment.deletion_due_at = At(400);
  deployment.closed_at = At(401);
  deployment.faces = 12;
  deployment.alerts = 3;
  deployment.false_alerts = 1;
  ASSERT_THAT(Write([&](Transaction& t) { return t.deployments().Add(deployment); }), IsOk());
  Reopen();
  const auto found = Get([](const Transaction& t) { return t.deployments().Get(kFirst); });
  ASSERT_THAT(found, IsOk());
  EXPECT_EQ(found->id, kFirst);
  EXPECT_EQ(found->state, DeploymentState::kOver);
  EXPECT_EQ(found->created_at, At(100));
  EXPECT_EQ(found->starts_at, At(200));
  EXPECT_EQ(found->ends_at, At(300));
  EXPECT_EQ(found->created_by, "ada");
  EXPECT_EQ(found->approved_by, "grace");
  EXPECT_EQ(found->definition, deployment.definition);
  EXPECT_EQ(found->activated_at, At(201));
  EXPECT_EQ(found->ended_at, At(300));
  EXPECT_EQ(found->deletion_due_at, At(400));
  EXPECT_EQ(found->closed_at, At(401));
  EXPECT_EQ(found->faces, 12u);
  EXPECT_EQ(found->alerts, 3u);
  EXPECT_EQ(found->false_alerts, 1u);
}

TEST_P(DeploymentStoreConformance, KeepsWhatHasNotHappenedYetAbsent) {
  ASSERT_THAT(Write([](Transaction& t) { return t.deployments().Add(Deployment("d-1")); }), IsOk());
  const auto found = Get([](const Transaction& t) { return t.deployments().Get(kFirst); });
  ASSERT_THAT(found, IsOk());
  EXPECT_FALSE(found->activated_at || found->ended_at || found->deletion_due_at ||
               found->closed_at);
}

TEST_P(DeploymentStoreConformance, RefusesTheSameIdTwice) {
  const Work add = [](Transaction& t) { return t.deployments().Add(Deployment("d-1")); };
  ASSERT_THAT(Write(add), IsOk());
  EXPECT_THAT(Write(add), FailsWith(ErrorCode::kConflict));
}

TEST_P(DeploymentStoreConformance, GivesTheNewestFirstAndThoseInAStateInTheirOrder) {
  ASSERT_THAT(Write(AddThree), IsOk());
  const auto newest = Get([](const Transaction& t) { return t.deployments().Newest(2); });
  ASSERT_THAT(*newest, SizeIs(2));
  EXPECT_EQ(newest->at(0).id.text(), "d-3");
  DeploymentRecord stopped = Deployment("d-2");
  stopped.state = DeploymentState::kStopped;
  ASSERT_THAT(Write([&](Transaction& t) {
                return t.deployments().Change(stopped, DeploymentState::kActive);
              }),
              IsOk());
  const auto active = Get([](const Transaction& t) {
    return t.deployments().InState({DeploymentState::kActive, DeploymentState::kOver});
  });
  ASSERT_THAT(*active, SizeIs(2));
  EXPECT_EQ(active->at(0).id.text(), "d-1");
  EXPECT_EQ(active->at(1).id.text(), "d-3");
}

TEST_P(DeploymentStoreConformance, AreChangedOnlyFromTheStateThatIsNamed) {
  ASSERT_THAT(Write(AddThree), IsOk());
  DeploymentRecord over = Deployment("d-1");
  over.state = DeploymentState::kOver;
  over.ended_at = At(300);
  over.definition = "{}";
  over.faces = 99;
  const Work change = [&](Transaction& t) {
    return t.deployments().Change(over, DeploymentState::kActive);
  };
  ASSERT_THAT(Write(change), IsOk());
  EXPECT_THAT(Write(change), FailsWith(ErrorCode::kConflict));
  EXPECT_EQ(Get(First)->definition, "{}");
  EXPECT_EQ(Get(First)->faces, 0u);
  over.id = MakeId<policy::DeploymentId>("d-9");
  EXPECT_THAT(Write(change), FailsWith(ErrorCode::kNotFound));
}

TEST_P(DeploymentStoreConformance, AddUpTheirCounts) {
  ASSERT_THAT(Write(AddThree), IsOk());
  for (int i = 0; i < 2; ++i) {
    ASSERT_THAT(Write([](Transaction& t) { return t.deployments().AddCounts(kFirst, 5, 2); }),
                IsOk());
  }
  EXPECT_EQ(Get(First)->faces, 10u);
  EXPECT_EQ(Get(First)->alerts, 4u);
  EXPECT_THAT(Write([](Transaction& t) {
                return t.deployments().AddCounts(MakeId<policy::DeploymentId>("d-9"), 1, 1);
              }),
              FailsWith(ErrorCode::kNotFound));
}

TEST_P(DeploymentStoreConformance, KnowTheirHoldersAndWhatEachCounted) {
  ASSERT_THAT(Write(AddThree), IsOk());
  ASSERT_THAT(
      Write([](Transaction& t) -> Status {
        COMITY_RETURN_IF_ERROR(t.deployments().PutHolder(Holder("d-1", "northshire-police")));
        return t.deployments().PutHolder(Holder("d-1", "a-town"));
      }),
      IsOk());
  auto holders = *Get(Holders);
  ASSERT_THAT(holders, SizeIs(2));
  EXPECT_EQ(holders[0].holder.text(), "a-town");
  EXPECT_EQ(holders[1].state, HolderState::kStale);
  EXPECT_EQ(holders[1].reason, "too old");
  EXPECT_EQ(holders[1].checked_at, At(10));
  EXPECT_EQ(holders[1].validated_at, At(5));
  EXPECT_EQ(holders[1].entries, 7u);
  DeploymentHolderRecord again = Holder("d-1", "northshire-police");
  again.state = HolderState::kValidated;
  again.validated_at.reset();
  ASSERT_THAT(Write([&](Transaction& t) -> Status {
                COMITY_RETURN_IF_ERROR(t.deployments().AddHolderAlerts(kFirst, kPolice, 3));
                COMITY_RETURN_IF_ERROR(t.deployments().AddFalseAlert(kFirst, kPolice));
                return t.deployments().PutHolder(again);
              }),
              IsOk());
  holders = *Get(Holders);
  EXPECT_EQ(holders[1].state, HolderState::kValidated);
  EXPECT_FALSE(holders[1].validated_at.has_value());
  EXPECT_EQ(holders[1].alerts, 3u);
  EXPECT_EQ(holders[1].false_alerts, 1u);
  EXPECT_EQ(holders[0].false_alerts, 0u);
  EXPECT_EQ(Get(First)->false_alerts, 1u);
}

TEST_P(DeploymentStoreConformance, CountAFalseAlertOfAHolderThatWasNeverAsked) {
  ASSERT_THAT(Write(AddThree), IsOk());
  ASSERT_THAT(Write([](Transaction& t) -> Status {
                COMITY_ASSIGN_OR_RETURN(const auto after,
                                        t.deployments().AddFalseAlert(kFirst, kPolice));
                EXPECT_EQ(after.false_alerts, 1u);
                return {};
              }),
              IsOk());
  EXPECT_THAT(Write([](Transaction& t) -> Status {
                COMITY_RETURN_IF_ERROR(
                    t.deployments().AddFalseAlert(MakeId<policy::DeploymentId>("d-9"), kPolice));
                return {};
              }),
              FailsWith(ErrorCode::kNotFound));
  EXPECT_THAT(Write([](Transaction& t) {
                return t.deployments().PutHolder(Holder("d-9", "northshire-police"));
              }),
              FailsWith(ErrorCode::kNotFound));
}

}  // namespace comity::store
