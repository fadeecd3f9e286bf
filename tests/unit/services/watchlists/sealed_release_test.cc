// SPDX-License-Identifier: Apache-2.0
// The release budget of a block secret, and sealing again.
#include <gmock/gmock.h>

#include "tests/support/result_matchers.h"
#include "tests/unit/services/watchlists/sealed_world.h"

namespace comity::watchlists {
namespace {

using comity::testing::FailsWith;
using comity::testing::IsOk;
using comity::testing::IsOkAnd;
using sealed::Release;
using ::testing::ElementsAre;
using ::testing::Eq;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using namespace testing;

class SealedRelease : public ::testing::Test {
 protected:
  SealedRelease() {
    world_.Approve(20);
    world_.Bring();
  }
  // An answer with these hits, of a search under the state of `epoch`.
  Result<Release> Answer(const SealedEpoch& epoch, std::vector<std::uint32_t> slots) {
    return world_.Charge({epoch.header(), epoch.view->state().sequence, std::move(slots), false});
  }
  Result<Release> OverCap(const SealedEpoch& epoch) {
    return world_.Charge({epoch.header(), epoch.view->state().sequence, {}, true});
  }
  void UseUp() {
    for (int i = 0; i < 4; ++i) {
      ASSERT_THAT(Answer(*world_.Epoch(), {1, 2}), IsOkAnd(Eq(Release::kRelease)));
    }
  }
  // As an answer without hits, which counts nothing.
  Result<Release> Look(const SealedEpoch& epoch) {
    return world_.publications->LookAtRelease(epoch.header(), epoch.view->state().sequence);
  }
  bool IsStale() { return world_.publications->IsStale(world_.Epoch()->header()); }

  SealedWorld world_;
};

TEST_F(SealedRelease, EightHitsLeaveUnderOneSecretAndNoMore) {
  EXPECT_THAT(Look(*world_.Epoch()), IsOkAnd(Eq(Release::kRelease)));
  UseUp();
  EXPECT_THAT(Look(*world_.Epoch()), IsOkAnd(Eq(Release::kStaleBlock)));
  EXPECT_TRUE(IsStale());
  EXPECT_TRUE(world_.publications->NeedsBring(kScope));
  EXPECT_THAT(Answer(*world_.Epoch(), {3}), IsOkAnd(Eq(Release::kStaleBlock)));
  EXPECT_THAT(Answer(*world_.Epoch(), {}), IsOkAnd(Eq(Release::kStaleBlock)));
}

TEST_F(SealedRelease, AnAnswerBeyondTheBudgetIsRefusedAndExhaustsTheBlock) {
  for (int i = 0; i < 3; ++i) {
    ASSERT_THAT(Answer(*world_.Epoch(), {1, 2}), IsOkAnd(Eq(Release::kRelease)));
  }
  EXPECT_FALSE(IsStale());
  EXPECT_THAT(Answer(*world_.Epoch(), {1, 2, 3}), IsOkAnd(Eq(Release::kStaleBlock)));
  EXPECT_TRUE(IsStale());
}

TEST_F(SealedRelease, AnEmptyAnswerCostsNothing) {
  for (int i = 0; i < 20; ++i) {
    ASSERT_THAT(Answer(*world_.Epoch(), {}), IsOkAnd(Eq(Release::kRelease)));
  }
  EXPECT_FALSE(IsStale());
}

TEST_F(SealedRelease, OverTheCapCountsOneForEveryBlock) {
  for (int i = 0; i < 8; ++i) {
    ASSERT_THAT(OverCap(*world_.Epoch()), IsOkAnd(Eq(Release::kRelease)));
  }
  EXPECT_TRUE(IsStale());
  EXPECT_THAT(OverCap(*world_.Epoch()), IsOkAnd(Eq(Release::kStaleBlock)));
}

TEST_F(SealedRelease, CountersOutliveARestart) {
  UseUp();
  world_.Restart();
  EXPECT_TRUE(IsStale());
  EXPECT_THAT(Answer(*world_.Epoch(), {3}), IsOkAnd(Eq(Release::kStaleBlock)));
}

TEST_F(SealedRelease, WhatIsNotCommittedIsNotCounted) {
  const SealedEpochPtr epoch = world_.Epoch();
  EXPECT_FALSE(world_.world.agency.store()
                   .Write([&](store::Transaction& t) -> Status {
                     COMITY_RETURN_IF_ERROR(SealedPublications::ChargeRelease(
                         t, {epoch->header(), 1, {1, 2, 3, 4, 5, 6, 7, 8}, false}));
                     return Fail(ErrorCode::kUnavailable, "rolled back");
                   })
                   .has_value());
  EXPECT_FALSE(IsStale());
}

TEST_F(SealedRelease, TheNextBringSealsAgainUnderAFreshRootAndTheSameNumber) {
  UseUp();
  const SealedEpochPtr before = world_.Epoch();
  const auto files = world_.Files();
  EXPECT_TRUE(world_.Bring().changed);
  const SealedEpochPtr after = world_.Epoch();
  EXPECT_EQ(after->header(), before->header());
  EXPECT_EQ(after->view->state().sequence, before->view->state().sequence + 1);
  ASSERT_THAT(after->view->state().blocks, SizeIs(1));
  EXPECT_EQ(after->view->state().blocks[0].number, 0U);
  EXPECT_NE(after->view->state().blocks[0].hash, before->view->state().blocks[0].hash);
  EXPECT_NE(world_.Slots(*after), world_.Slots(*before));
  EXPECT_FALSE(IsStale());
  EXPECT_THAT(world_.Search("r4"), ElementsAre("r4"));
  // The former block is gone from disk.
  EXPECT_THAT(world_.Files(), SizeIs(1));
  EXPECT_NE(world_.Files(), files);
  EXPECT_THAT(world_.Fetch(*before, before->view->state().blocks[0]),
              FailsWith(ErrorCode::kNotFound));
}

TEST_F(SealedRelease, ASearchUnderTheFormerRootIsNotAnsweredAfterIt) {
  const SealedEpochPtr former = world_.Epoch();
  UseUp();
  world_.Bring();
  EXPECT_THAT(Answer(*former, {3}), IsOkAnd(Eq(Release::kStaleBlock)));
  EXPECT_THAT(OverCap(*former), IsOkAnd(Eq(Release::kStaleBlock)));
  EXPECT_THAT(Look(*former), IsOkAnd(Eq(Release::kStaleBlock)));
  EXPECT_THAT(Look(*world_.Epoch()), IsOkAnd(Eq(Release::kRelease)));
  // Nor is it counted against the fresh one.
  EXPECT_FALSE(IsStale());
  EXPECT_THAT(Answer(*world_.Epoch(), {1, 2, 3, 4, 5, 6, 7, 8}), IsOkAnd(Eq(Release::kRelease)));
}

TEST_F(SealedRelease, WithdrawnEntriesAreLeftOutOfABlockThatIsSealedAgain) {
  ASSERT_THAT(world_.world.lists->Withdraw({kSealedList, "r7", "why", "o"}), IsOk());
  ASSERT_THAT(world_.publications->Withdraw(kSealedList, std::vector<std::string>{"r7"}), IsOk());
  UseUp();
  world_.Bring();
  const auto& state = world_.Epoch()->view->state();
  EXPECT_EQ(state.blocks[0].count, 19U);
  EXPECT_THAT(state.withdrawn, IsEmpty());
  EXPECT_THAT(world_.Sealed(), SizeIs(19));
}

TEST_F(SealedRelease, OtherBlocksKeepTheirSecretsAndTheirCounters) {
  auto later = Entry("later");
  SealedWorld world;
  later["valid_from"] = "2026-11-25T09:00:00Z";
  world.Approve({Entry("a"), Entry("b"), later});
  world.Bring();
  world.world.agency.clock.Set(At("2026-11-25T09:00:00Z"));
  world.Bring();
  const SealedEpochPtr before = world.Epoch();
  ASSERT_THAT(before->view->state().blocks, SizeIs(2));
  const std::uint32_t second = SlotNumber(1, 0);
  for (int i = 0; i < 8; ++i) {
    const std::vector<std::uint32_t> slots =
        i < 3 ? std::vector<std::uint32_t>{1, second} : std::vector<std::uint32_t>{second};
    ASSERT_THAT(world.Charge({before->header(), 2, slots, false}), IsOkAnd(Eq(Release::kRelease)));
  }
  world.Bring();
  const SealedEpochPtr after = world.Epoch();
  EXPECT_EQ(after->view->state().blocks[0], before->view->state().blocks[0]);
  EXPECT_NE(after->view->state().blocks[1].hash, before->view->state().blocks[1].hash);
  // Three of eight were used of the first one.
  EXPECT_THAT(world.Charge({after->header(), 3, {1, 2, 1, 2, 1}, false}),
              IsOkAnd(Eq(Release::kRelease)));
  EXPECT_TRUE(world.publications->IsStale(after->header()));
}

// A search waits for it, however long the list is.
TEST_F(SealedRelease, SealingAgainLooksAtNoOtherEntry) {
  auto later = Entry("later");
  SealedWorld world;
  later["valid_from"] = "2026-11-25T09:00:00Z";
  world.Approve({Entry("a"), Entry("b"), later});
  world.Bring();
  const Digest header = world.Epoch()->header();
  ASSERT_THAT(world.Charge({header, 1, {1, 2, 1, 2, 1, 2, 1, 2}, false}),
              IsOkAnd(Eq(Release::kRelease)));
  ASSERT_TRUE(world.publications->IsStale(header));
  world.world.agency.clock.Set(At("2026-11-25T09:00:00Z"));
  EXPECT_THAT(world.publications->SealAgain(kScope, world.terms(), world.Now()), IsOkAnd(Eq(true)));
  EXPECT_FALSE(world.publications->IsStale(header));
  EXPECT_THAT(world.Sealed(), SizeIs(2));
  world.Bring();
  EXPECT_THAT(world.Sealed(), SizeIs(3));
}

TEST_F(SealedRelease, ABlockWithoutAnEntryLeftIsNotSealedAgain) {
  UseUp();
  std::vector<std::string> all;
  for (std::size_t i = 0; i < 20; ++i) {
    all.push_back(Name(i));
    ASSERT_THAT(world_.world.lists->Withdraw({kSealedList, all.back(), "why", "o"}), IsOk());
  }
  ASSERT_THAT(world_.publications->Withdraw(kSealedList, all), IsOk());
  EXPECT_THAT(world_.publications->SealAgain(kScope, world_.terms(), world_.Now()),
              IsOkAnd(Eq(false)));
  world_.Bring();
  EXPECT_EQ(world_.Epoch(), nullptr);
}

TEST_F(SealedRelease, RefusesWhatIsNoAnswer) {
  const SealedEpochPtr epoch = world_.Epoch();
  EXPECT_THAT(world_.Charge({epoch->header(), 1, {1}, true}),
              FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_THAT(Answer(*epoch, {0}), IsOkAnd(Eq(Release::kStaleBlock)));
  EXPECT_THAT(Answer(*epoch, {5000}), IsOkAnd(Eq(Release::kStaleBlock)));
  EXPECT_THAT(world_.Charge({Digest(), 1, {1}, false}), FailsWith(ErrorCode::kNotFound));
  EXPECT_TRUE(world_.publications->IsStale(Digest()));
  EXPECT_FALSE(IsStale());
}

}  // namespace
}  // namespace comity::watchlists
