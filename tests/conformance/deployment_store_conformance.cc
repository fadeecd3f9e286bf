// SPDX-License-Identifier: Apache-2.0
#include "tests/conformance/store_conformance.h"

namespace comity::store {
namespace {

using policy::DeploymentId;
using testing::FailsWith;
using testing::IsOk;

auto Add(std::string_view id) {
  DeploymentRecord deployment;
  deployment.id = MakeId<DeploymentId>(id);
  deployment.created_at = At(1);
  deployment.starts_at = At(2);
  deployment.ends_at = At(3);
  deployment.created_by = "amira";
  deployment.definition = R"({"place":"Market Square"})";
  return [=](Transaction& t) { return t.deployments().Add(deployment); };
}
auto Stop(std::string_view id) {
  const auto parsed = MakeId<DeploymentId>(id);
  return
      [=](Transaction& t) { return t.deployments().SetState(parsed, DeploymentState::kStopped); };
}
auto All(const Transaction& t) {
  return t.deployments().All();
}

TEST_P(DeploymentStoreConformance, GivesBackEveryField) {
  ASSERT_THAT(Write(Add("d-one")), IsOk());
  Reopen();
  const auto all = Get(All).value();
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0].id.text(), "d-one");
  EXPECT_EQ(all[0].state, DeploymentState::kActive);
  EXPECT_EQ(all[0].created_at, At(1));
  EXPECT_EQ(all[0].starts_at, At(2));
  EXPECT_EQ(all[0].ends_at, At(3));
  EXPECT_EQ(all[0].created_by, "amira");
  EXPECT_EQ(all[0].definition, R"({"place":"Market Square"})");
}

TEST_P(DeploymentStoreConformance, GivesThemInTheOrderTheyWereMade) {
  ASSERT_THAT(Write(Add("d-z")), IsOk());
  ASSERT_THAT(Write(Add("d-a")), IsOk());
  const auto all = Get(All).value();
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0].id.text(), "d-z");
  EXPECT_EQ(all[1].id.text(), "d-a");
}

TEST_P(DeploymentStoreConformance, RefusesTheSameIdTwice) {
  ASSERT_THAT(Write(Add("d-one")), IsOk());
  EXPECT_THAT(Write(Add("d-one")), FailsWith(ErrorCode::kConflict));
}

TEST_P(DeploymentStoreConformance, StopsOneAndNoOther) {
  ASSERT_THAT(Write(Add("d-one")), IsOk());
  ASSERT_THAT(Write(Add("d-two")), IsOk());
  ASSERT_THAT(Write(Stop("d-two")), IsOk());
  const auto all = Get(All).value();
  EXPECT_EQ(all.at(0).state, DeploymentState::kActive);
  EXPECT_EQ(all.at(1).state, DeploymentState::kStopped);
}

TEST_P(DeploymentStoreConformance, DoesNotStopWhatIsNotThere) {
  EXPECT_THAT(Write(Stop("d-none")), FailsWith(ErrorCode::kNotFound));
}

}  // namespace
}  // namespace comity::store
