// SPDX-License-Identifier: Apache-2.0
#include "services/matching/list_validations.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "services/audit/events.h"
#include "tests/support/result_matchers.h"
#include "tests/unit/services/matching/holder_world.h"

namespace comity::matching {
namespace {

using comity::testing::IsOk;
using store::HolderState;
using testing::At;
using ::testing::HasSubstr;
using testing::HolderWorld;
using testing::kNow;
using ::testing::SizeIs;

class ListValidation : public ::testing::Test {
 protected:
  void SetUp() override {
    deployments_ = Deployments::Open({.own_agency = world_.council,
                                      .store = *world_.store,
                                      .journal = *world_.journal,
                                      .clock = world_.clock,
                                      .random = world_.random,
                                      .barrier = world_.barrier})
                       .value();
    const policy::DeploymentId id = deployments_->NewId();
    ASSERT_THAT(
        world_.journal->Commit([&](store::Transaction& transaction, audit::Recorder& recorder) {
          return deployments_->Start(transaction, recorder,
                                     {.id = id,
                                      .definition = world_.Operation(),
                                      .reason = {},
                                      .proposed_by = "ada",
                                      .approved_by = "grace"});
        }),
        IsOk());
    ASSERT_THAT(deployments_->Refresh(id), IsOk());
    deployment_ = *deployments_->Find(id);
    Reopen();
  }
  void Reopen() {
    validations_ =
        ListValidations::Open({world_.council, *world_.store, *world_.journal, world_.clock},
                              deployments_->Unfinished())
            .value();
  }
  bool IsValidated() const { return validations_->IsValidated(deployment_.id, world_.police); }
  HolderValidation Said(std::optional<policy::Instant> validated_at,
                        std::uint64_t entries = 10) const {
    HolderValidation said;
    said.decision.code = policy::ReasonCode::kPermit;
    said.decision.agreement = world_.Ref();
    said.entries = entries;
    said.validated_at = validated_at;
    return said;
  }
  ListValidations::Standing Judge(const HolderValidation& said) {
    const auto standing = validations_->Judge(deployment_, world_.police, said);
    EXPECT_THAT(standing, IsOk());
    return *standing;
  }

  HolderWorld world_;
  std::unique_ptr<Deployments> deployments_;
  DeploymentStatus deployment_;
  std::unique_ptr<ListValidations> validations_;
};

TEST_F(ListValidation, AHolderThatWasNotAskedIsNotSearched) {
  EXPECT_FALSE(IsValidated());
  EXPECT_FALSE(validations_->Find(deployment_.id, world_.police).has_value());
}

TEST_F(ListValidation, ListsOfADayBeforeTheStartAreFreshAndOlderOnesStale) {
  const policy::Instant oldest = deployment_.definition->starts_at - std::chrono::hours(24);
  EXPECT_EQ(Judge(Said(oldest)).state, HolderState::kValidated);
  EXPECT_TRUE(IsValidated());
  const auto stale = Judge(Said(oldest - std::chrono::microseconds(1)));
  EXPECT_EQ(stale.state, HolderState::kStale);
  EXPECT_THAT(stale.reason, HasSubstr("24 hours"));
  EXPECT_FALSE(IsValidated());
}

TEST_F(ListValidation, RefusesWhatNobodyCanHaveValidated) {
  EXPECT_EQ(Judge(Said(std::nullopt)).state, HolderState::kStale);
  EXPECT_EQ(Judge(Said(At(kNow + 61))).state, HolderState::kStale);
  HolderValidation all_stale = Said(At(kNow), 0);
  all_stale.stale = 3;
  EXPECT_EQ(Judge(all_stale).state, HolderState::kStale);
  EXPECT_FALSE(IsValidated());
}

TEST_F(ListValidation, ARefusalOfTheHolderIsKeptWithItsReason) {
  HolderValidation said;
  said.decision.code = policy::ReasonCode::kStopped;
  const auto standing = Judge(said);
  EXPECT_EQ(standing.state, HolderState::kRefused);
  EXPECT_THAT(standing.reason, HasSubstr("stopped"));
  EXPECT_FALSE(IsValidated());
}

TEST_F(ListValidation, StandsAfterAReopen) {
  Judge(Said(At(kNow)));
  Reopen();
  EXPECT_TRUE(IsValidated());
  const auto stored = validations_->Of(deployment_.id);
  ASSERT_THAT(stored, IsOk());
  ASSERT_THAT(*stored, SizeIs(1));
  EXPECT_EQ(stored->at(0).entries, 10u);
  EXPECT_EQ(stored->at(0).validated_at, At(kNow));
}

TEST_F(ListValidation, LogsWhatWasSaidAndAnOutageOnce) {
  for (int i = 0; i < 3; ++i) {
    ASSERT_THAT(validations_->Unreachable(deployment_, world_.police, "UNAVAILABLE"), IsOk());
  }
  Judge(Said(At(kNow)));
  const auto events = world_.journal->Events(audit::kListsValidated);
  ASSERT_THAT(events, SizeIs(2));
  EXPECT_EQ(events[0].decision_code, "unreachable");
  EXPECT_EQ(events[1].decision_code, "permit");
  EXPECT_EQ(events[1].counts.at("entries"), 10);
}

TEST_F(ListValidation, CountsForNothingThatTheLogDoesNotHold) {
  world_.journal->Refuse(true);
  EXPECT_FALSE(validations_->Judge(deployment_, world_.police, Said(At(kNow))).has_value());
  EXPECT_FALSE(IsValidated());
}

TEST_F(ListValidation, IsForgottenWithItsDeployment) {
  Judge(Said(At(kNow)));
  ASSERT_THAT(deployments_->Stop(deployment_.id, "x", "p"), IsOk());
  validations_->Keep(deployments_->Unfinished());
  EXPECT_FALSE(IsValidated());
  EXPECT_THAT(*validations_->Of(deployment_.id), SizeIs(1));
}

}  // namespace
}  // namespace comity::matching
