// SPDX-License-Identifier: Apache-2.0
// What the release budget lets a session say, also of probes that are under way when it is used up.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <vector>

#include "services/audit/events.h"
#include "services/matching/sealed_holder_session.h"
#include "tests/support/result_matchers.h"
#include "tests/unit/services/matching/sealed_world.h"

namespace comity::matching {
namespace {

using comity::testing::IsOk;
using policy::ReasonCode;
using testing::CodeOf;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::SealedWorld;
using ::testing::SizeIs;
using testing::Watching;

// What one probe under way is told, if `meanwhile` happens before it is known what it hit.
ReasonCode CodeAfter(SealedWorld& world, const SealedOutcome& outcome,
                     const std::function<void()>& meanwhile) {
  const auto session = world.OpenSealed();
  std::vector<ProbeAnswer> answers;
  auto batch = session->Begin({world.Asked(100)}, world.Refs(), world.Keep(answers));
  EXPECT_THAT(batch, IsOk());
  meanwhile();
  EXPECT_THAT(session->Conclude(*batch, {&outcome, 1}, world.Keep(answers)), IsOk());
  EXPECT_THAT(answers, SizeIs(1));
  return answers.front().decision.code;
}

void Release(SealedWorld& world, std::uint64_t hits) {
  const auto session = world.OpenSealed();
  for (std::uint64_t sequence = 1; sequence <= hits; ++sequence) {
    ASSERT_EQ(CodeOf(world.Search(*session, world.Asked(sequence), SealedWorld::Hits({1}))),
              ReasonCode::kPermit);
  }
}

TEST(SealedBudget, StopsReleasingAtTheBudgetAndHasTheBlockSealedAgain) {
  SealedWorld world;
  const auto session = world.OpenSealed();
  for (std::uint64_t sequence = 1; sequence <= sealed::kReleaseBudget; ++sequence) {
    ASSERT_EQ(CodeOf(world.Search(*session, world.Asked(sequence), SealedWorld::Hits({1}))),
              ReasonCode::kPermit);
  }
  // Asked for as soon as the last release has left, and again by a search that needs it.
  ASSERT_THAT(world.lists.renewed, SizeIs(1));
  EXPECT_EQ(CodeOf(world.Search(*session, world.Asked(9), SealedWorld::Hits({1}))),
            ReasonCode::kStaleBlock);
  EXPECT_THAT(world.lists.renewed, SizeIs(2));
  EXPECT_EQ(world.lists.charged, sealed::kReleaseBudget);
}

TEST(SealedBudget, AnAnswerThatWouldGoBeyondTheBudgetIsRefusedAsAWhole) {
  SealedWorld world;
  const auto session = world.OpenSealed();
  for (std::uint64_t sequence = 1; sequence <= 7; ++sequence) {
    ASSERT_TRUE(world.Search(*session, world.Asked(sequence), SealedWorld::Hits({1})));
  }
  const auto answer = world.Search(*session, world.Asked(8), SealedWorld::Hits({1, 2}));
  EXPECT_EQ(CodeOf(answer), ReasonCode::kStaleBlock);
  EXPECT_THAT(answer->hits, IsEmpty());
  EXPECT_EQ(world.journal->Count(audit::kSearchHit), 7U);
}

TEST(SealedBudget, UsedUpByAnotherSessionItRefusesAProbeUnderWayHitOrNot) {
  for (const SealedOutcome& outcome : {SealedOutcome{}, SealedWorld::Hits({1})}) {
    SealedWorld world;
    const auto use_up = [&] { Release(world, sealed::kReleaseBudget); };
    EXPECT_EQ(CodeAfter(world, outcome, use_up), ReasonCode::kStaleBlock);
    EXPECT_EQ(world.lists.charged, sealed::kReleaseBudget);
    EXPECT_EQ(world.journal->Count(audit::kSearchRefused), 1U);
  }
}

TEST(SealedBudget, OfFormerSecretsRefusesAProbeUnderWayHitOrNot) {
  for (const SealedOutcome& outcome : {SealedOutcome{}, SealedWorld::Hits({1})}) {
    SealedWorld world;
    const auto reseal = [&] { world.lists.Reseal(world.sample.state().header); };
    EXPECT_EQ(CodeAfter(world, outcome, reseal), ReasonCode::kStaleBlock);
    EXPECT_EQ(world.lists.charged, 0U);
  }
}

TEST(SealedBudget, TheFirstRefusalRefusesTheRestOfTheBatchHitOrNot) {
  SealedWorld world;
  Release(world, sealed::kReleaseBudget - 1);
  const auto session = world.OpenSealed();
  std::vector<ProbeAnswer> answers;
  auto batch = session->Begin({world.Asked(1), world.Asked(2), world.Asked(3), world.Asked(4)},
                              world.Refs(), world.Keep(answers));
  ASSERT_THAT(batch, IsOk());
  const std::vector<SealedOutcome> outcomes = {
      {}, SealedWorld::Hits({1, 2}), {}, SealedWorld::Hits({3})};
  ASSERT_THAT(session->Conclude(*batch, outcomes, world.Keep(answers)), IsOk());
  std::vector<ReasonCode> codes;
  for (const ProbeAnswer& answer : answers) codes.push_back(answer.decision.code);
  EXPECT_THAT(codes, ElementsAre(ReasonCode::kPermit, ReasonCode::kStaleBlock,
                                 ReasonCode::kStaleBlock, ReasonCode::kStaleBlock));
  // And those of every other session.
  EXPECT_EQ(CodeOf(world.Search(*world.OpenSealed(), world.Asked(1), {})), ReasonCode::kStaleBlock);
}

TEST(SealedBudget, ProbesWithoutHitsCostNoUnitOfWork) {
  SealedWorld world;
  const auto session = world.OpenSealed();
  std::vector<ProbeAnswer> answers;
  auto batch = session->Begin({world.Asked(1)}, world.Refs(), world.Keep(answers));
  ASSERT_THAT(batch, IsOk());
  world.journal->Refuse(true);
  const SealedOutcome miss;
  ASSERT_THAT(session->Conclude(*batch, {&miss, 1}, world.Keep(answers)), IsOk());
  EXPECT_EQ(answers.front().decision.code, ReasonCode::kPermit);
}

TEST(SealedBudget, CountsAlsoWhatIsHitAndNotReleased) {
  SealedWorld world;
  const auto session = world.OpenSealed();
  const auto other = world.Search(*session, world.Asked(1), SealedWorld::Hits({6}));  // a witness
  ASSERT_EQ(CodeOf(other), ReasonCode::kPermit);
  EXPECT_THAT(other->hits, IsEmpty());
  EXPECT_EQ(world.lists.charged, 1U);
  world.galleries.Withdraw(world.list, std::vector<std::string>{"r2"});
  const auto gone = world.Search(*session, world.Asked(2), SealedWorld::Hits({3}));
  ASSERT_EQ(CodeOf(gone), ReasonCode::kPermit);
  EXPECT_THAT(gone->hits, IsEmpty());
  EXPECT_EQ(world.lists.charged, 2U);
  EXPECT_EQ(world.journal->Count(audit::kSearchHit), 0U);
}

TEST(SealedBudget, AHitThatWasRefusedIsStillCountedWhenItIsReleased) {
  SealedWorld world;
  Watching watching;
  world.observer = &watching;
  Release(world, sealed::kReleaseBudget - 1);
  const int before = watching.hits;
  const auto session = world.OpenSealed();
  SealedProbe probe = world.Asked(1);
  ASSERT_EQ(CodeOf(world.Search(*session, probe, SealedWorld::Hits({1, 2}))),
            ReasonCode::kStaleBlock);
  world.lists.Reseal(world.sample.state().header);
  world.sample.MoveOn();
  world.Publish();
  ++probe.claims.sequence;
  ASSERT_EQ(CodeOf(world.Search(*session, probe, SealedWorld::Hits({1, 2}))), ReasonCode::kPermit);
  EXPECT_EQ(watching.hits, before + 2);
}

}  // namespace
}  // namespace comity::matching
