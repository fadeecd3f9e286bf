// SPDX-License-Identifier: Apache-2.0
// Probes, offsets and tables that an honest peer does not send, and calls out of turn.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numeric>

#include "tests/unit/services/matching/sealed/sealed_ends.h"

namespace comity::matching {
namespace {

using comity::testing::FailsWith;
using comity::testing::IsOk;
using testing::SampleList;
using testing::SealedPads;
using testing::Template;
using testing::WrongLengths;

class SealedRounds : public SealedPads {
 protected:
  SealedRounds() { ends_->RefillFor(2000); }

  SealedRequester::Begun BeginBatch(std::size_t probes) {
    const std::vector<Template> batch(probes, q_);
    auto begun = *ends_->requester.Begin(testing::Secretly(batch), next_number_);
    next_number_ += probes;
    return begun;
  }
  std::unique_ptr<SealedHolder::Round> HolderBegins(const SealedRequester::Begun& begun) {
    const std::vector<ByteView> probes(begun.probes.begin(), begun.probes.end());
    return *ends_->holder.Begin(probes);
  }
  Status AcceptAll(SealedRequester::Begun& begun) {
    std::vector<std::size_t> all(begun.probes.size());
    std::iota(all.begin(), all.end(), std::size_t{0});
    return ends_->requester.Accept(*begun.round, all);
  }
  Result<Bytes> Tables(SealedRequester::Begun& begun, std::size_t index, ByteView offsets) {
    sealed::Sketch masks{.cap = 5};
    auto tables = ends_->requester.Tables(*begun.round, index, offsets, masks);
    masks_ = sealed::EncodeSketch(masks);
    return tables;
  }
  SealedOutcome OpenWith(SealedHolder::Round& round, std::size_t index, ByteView tables) {
    sealed::Sketch bits{.cap = 5};
    EXPECT_THAT(ends_->holder.Open(round, index, tables, bits), IsOk());
    const SealedHolder::Round* rounds[] = {&round};
    return *DecodeOutcome(bits, masks_, rounds);
  }

  std::uint64_t next_number_ = 1;
  Bytes masks_;
};

TEST_F(SealedRounds, ProbesOfAWrongNumberOrLengthUseNothingUp) {
  const auto begun = BeginBatch(1);
  const Digest before = ends_->holder.NextBinding();
  for (const Bytes& wrong : WrongLengths(begun.probes[0])) {
    const std::vector<ByteView> probes = {begun.probes[0], wrong};
    EXPECT_THAT(ends_->holder.Begin(probes), FailsWith(ErrorCode::kInvalidArgument));
  }
  EXPECT_THAT(ends_->holder.Begin({}), FailsWith(ErrorCode::kInvalidArgument));
  const std::vector<ByteView> many(sealed::kMaxProbesInBatch + 1, begun.probes[0]);
  EXPECT_THAT(ends_->holder.Begin(many), FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_EQ(ends_->holder.NextBinding(), before);
}

TEST_F(SealedRounds, TemplatesThatAreNoneUseNothingUp) {
  const Digest binding = BeginBatch(1).binding;
  Template clipped = q_;
  clipped[0] = -128;
  const Template loud(128, 100);
  const Template wrong_dimension = sealed::testing::Faces(256, 1).Template();
  const std::vector<std::vector<Template>> batches = {
      {},
      {q_, clipped},
      {loud},
      {wrong_dimension},
      std::vector<Template>(sealed::kMaxProbesInBatch + 1, q_)};
  for (const auto& batch : batches) {
    EXPECT_THAT(ends_->requester.Begin(testing::Secretly(batch), 10),
                FailsWith(ErrorCode::kInvalidArgument));
  }
  const auto next = BeginBatch(1);
  EXPECT_EQ(next.batch, 1U);
  EXPECT_NE(next.binding, binding);
}

TEST_F(SealedRounds, ProbeNumbersNeverComeTwice) {
  next_number_ = 5;
  BeginBatch(2);
  const auto secret = testing::Secretly(std::vector<Template>{q_});
  for (const std::uint64_t number : {0ULL, 5ULL, 6ULL, ~0ULL}) {
    EXPECT_THAT(ends_->requester.Begin(secret, number), FailsWith(ErrorCode::kInvalidArgument));
  }
  EXPECT_THAT(ends_->requester.Begin(secret, 7), IsOk());
}

// A retry of the same face is another c'', and nothing of the first is seen in it.
TEST_F(SealedRounds, TheSameFaceTwiceGivesUnrelatedProbes) {
  const auto begun = BeginBatch(2);
  std::size_t equal = 0;
  for (std::size_t i = 0; i < begun.probes[0].size(); ++i) {
    equal += begun.probes[0][i] == begun.probes[1][i] ? 1U : 0U;
  }
  EXPECT_LT(equal, 40U);  // 12 expected
}

TEST_F(SealedRounds, OtherStatesHaveOtherBindings) {
  list_.Withdraw({7});
  ASSERT_THAT(ends_->requester.Update(list_.view(), 0), IsOk());
  const auto ahead = BeginBatch(1);
  EXPECT_NE(ahead.binding, ends_->holder.NextBinding());  // the holder refuses it as a whole
  ends_->holder.SkipBatch();
  ASSERT_THAT(ends_->holder.Update(list_.epoch(), 0), IsOk());
  EXPECT_EQ(BeginBatch(1).binding, ends_->holder.NextBinding());
}

TEST_F(SealedRounds, OnlyALaterStateOfTheSameListIsTaken) {
  const auto before = list_.view();
  const auto epoch_before = list_.epoch();
  list_.Withdraw({7});
  ASSERT_THAT(ends_->requester.Update(list_.view(), 0), IsOk());
  ASSERT_THAT(ends_->holder.Update(list_.epoch(), 0), IsOk());
  EXPECT_THAT(ends_->requester.Update(list_.view(), 1), IsOk());  // the same, at another place
  EXPECT_THAT(ends_->requester.Update(before, 0), FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_THAT(ends_->holder.Update(epoch_before, 0), FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_THAT(ends_->requester.Update(list_.view(), 1024), FailsWith(ErrorCode::kInvalidArgument));
  SampleList other({.dimension = 256}, 1);
  other.Seal(0, sealed::testing::Faces(256, 1).Templates(1));
  EXPECT_THAT(ends_->requester.Update(other.view(), 0), FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_THAT(ends_->holder.Update(other.epoch(), 0), FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_EQ(ends_->requester.list().state(), list_.state());
}

TEST_F(SealedRounds, ARoundIsAcceptedOnceAndBeforeTheNext) {
  auto first = BeginBatch(2);
  for (const std::vector<std::size_t>& wrong :
       {std::vector<std::size_t>{2}, std::vector<std::size_t>{1, 0},
        std::vector<std::size_t>{1, 1}}) {
    const auto ends = AnyEnds();
    auto begun = *ends->requester.Begin(testing::Secretly(std::vector<Template>(2, q_)), 1);
    EXPECT_THAT(ends->requester.Accept(*begun.round, wrong),
                FailsWith(ErrorCode::kInvalidArgument));
  }
  // Once more the same probes, others, or none: pads are taken once for a round.
  for (const std::vector<std::size_t>& again :
       {std::vector<std::size_t>{0}, std::vector<std::size_t>{1}, std::vector<std::size_t>{}}) {
    const auto ends = AnyEnds();
    ends->ExchangeTrees();
    ends->RefillFor(2000);
    auto begun = *ends->requester.Begin(testing::Secretly(std::vector<Template>(2, q_)), 1);
    const std::vector<std::size_t> one = {0};
    ASSERT_THAT(ends->requester.Accept(*begun.round, one), IsOk());
    EXPECT_THAT(ends->requester.Accept(*begun.round, again), FailsWith(ErrorCode::kConflict));
    ExpectEnded(*ends, q_);
  }
  auto second = BeginBatch(1);
  EXPECT_THAT(AcceptAll(first), FailsWith(ErrorCode::kConflict));
  EXPECT_THAT(AcceptAll(second), FailsWith(ErrorCode::kConflict));  // the session has ended
}

TEST_F(SealedRounds, TablesAreMadeOnceAndInOrder) {
  auto begun = BeginBatch(2);
  const auto round = HolderBegins(begun);
  ASSERT_THAT(AcceptAll(begun), IsOk());
  EXPECT_THAT(ends_->holder.Offsets(*round, 1), FailsWith(ErrorCode::kConflict));
  const Bytes offsets = *ends_->holder.Offsets(*round, 0);
  EXPECT_THAT(ends_->holder.Offsets(*round, 0), FailsWith(ErrorCode::kConflict));
  ASSERT_THAT(Tables(begun, 0, offsets), IsOk());
  EXPECT_THAT(Tables(begun, 0, offsets), FailsWith(ErrorCode::kConflict));
  ExpectEnded(*ends_, q_);
}

TEST_F(SealedRounds, OffsetsOfTheWrongFormEndTheSession) {
  for (const Bytes& wrong : WrongLengths(Bytes(sealed::OffsetBytes(300)))) {
    const auto ends = AnyEnds();
    ends->ExchangeTrees();
    ends->Refill();
    auto begun = *ends->requester.Begin(testing::Secretly(std::vector<Template>{q_}), 1);
    const std::vector<std::size_t> first = {0};
    ASSERT_THAT(ends->requester.Accept(*begun.round, first), IsOk());
    sealed::Sketch masks{.cap = 5};
    EXPECT_THAT(ends->requester.Tables(*begun.round, 0, wrong, masks),
                FailsWith(ErrorCode::kInvalidArgument));
    EXPECT_EQ(masks, sealed::Sketch{.cap = 5});
    ExpectEnded(*ends, q_);
  }
}

TEST_F(SealedRounds, TablesOfTheWrongLengthEndTheSession) {
  auto begun = BeginBatch(1);
  const auto round = HolderBegins(begun);
  ASSERT_THAT(AcceptAll(begun), IsOk());
  Bytes tables = *Tables(begun, 0, *ends_->holder.Offsets(*round, 0));
  tables.pop_back();
  sealed::Sketch bits{.cap = 5};
  EXPECT_THAT(ends_->holder.Open(*round, 0, tables, bits), FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_THAT(ends_->holder.MakePads(), FailsWith(ErrorCode::kConflict));
  EXPECT_EQ(ends_->holder.pads(), 0U);
}

TEST_F(SealedRounds, TablesBeforeTheirOffsetsEndTheSession) {
  auto begun = BeginBatch(1);
  const auto round = HolderBegins(begun);
  sealed::Sketch bits{.cap = 5};
  EXPECT_THAT(ends_->holder.Open(*round, 0, Bytes(8 * 300), bits), FailsWith(ErrorCode::kConflict));
}

TEST_F(SealedRounds, AHonestProbeHitsItsEntry) {
  auto begun = BeginBatch(1);
  const auto round = HolderBegins(begun);
  ASSERT_THAT(AcceptAll(begun), IsOk());
  const Bytes tables = *Tables(begun, 0, *ends_->holder.Offsets(*round, 0));
  EXPECT_EQ(OpenWith(*round, 0, tables).hits, (std::vector{SealedHit{0, 1}}));
}

TEST_F(SealedRounds, TablesThatWereChangedOrReplayedAreOverTheCap) {
  auto begun = BeginBatch(3);
  const auto round = HolderBegins(begun);
  ASSERT_THAT(AcceptAll(begun), IsOk());
  Bytes tables = *Tables(begun, 0, *ends_->holder.Offsets(*round, 0));
  EXPECT_FALSE(OpenWith(*round, 0, tables).over_cap);
  ASSERT_THAT(Tables(begun, 1, *ends_->holder.Offsets(*round, 1)), IsOk());
  EXPECT_TRUE(OpenWith(*round, 1, tables).over_cap);  // those of the probe before
  tables = *Tables(begun, 2, *ends_->holder.Offsets(*round, 2));
  for (std::size_t i = 0; i < tables.size(); i += 8)
    tables[i] = static_cast<std::uint8_t>(~tables[i]);
  EXPECT_TRUE(OpenWith(*round, 2, tables).over_cap);
}

TEST_F(SealedRounds, ASketchThatWasChangedIsOverTheCapOrRefused) {
  auto begun = BeginBatch(1);
  const auto round = HolderBegins(begun);
  ASSERT_THAT(AcceptAll(begun), IsOk());
  const Bytes tables = *Tables(begun, 0, *ends_->holder.Offsets(*round, 0));
  sealed::Sketch bits{.cap = 5};
  ASSERT_THAT(ends_->holder.Open(*round, 0, tables, bits), IsOk());
  const SealedHolder::Round* rounds[] = {round.get()};
  for (std::size_t bit = 0; bit < 140; ++bit) {
    Bytes changed = masks_;
    changed[bit / 8] = static_cast<std::uint8_t>(changed[bit / 8] ^ 1 << (bit % 8));
    EXPECT_TRUE(DecodeOutcome(bits, changed, rounds)->over_cap) << bit;
  }
  for (const Bytes& wrong : WrongLengths(masks_)) {
    EXPECT_THAT(DecodeOutcome(bits, wrong, rounds), FailsWith(ErrorCode::kInvalidArgument));
  }
}

// A holder that turns its choices on by the threshold asks for "score >= 0", which about half of
// the entries are: the sketch tells it only that they are too many.
TEST_F(SealedRounds, ChoicesShiftedToThresholdZeroAreOverTheCap) {
  auto begun = BeginBatch(1);
  const auto round = HolderBegins(begun);
  ASSERT_THAT(AcceptAll(begun), IsOk());
  const Bytes honest = *ends_->holder.Offsets(*round, 0);
  const std::uint32_t steps = *list_.view()->profile().Threshold(4000) >> 17;
  ASSERT_GT(steps, 0U);
  Bytes shifted(honest.size());
  for (std::size_t i = 0; i < 300; ++i) {
    unsigned offset = 0;
    for (std::size_t bit = 6 * i; bit < 6 * i + 6; ++bit) {
      offset |= (honest[bit / 8] >> (bit % 8) & 1U) << (bit - 6 * i);
    }
    offset = (offset + steps) % 64;
    for (std::size_t bit = 6 * i; bit < 6 * i + 6; ++bit) {
      shifted[bit / 8] =
          static_cast<std::uint8_t>(shifted[bit / 8] | (offset >> (bit - 6 * i) & 1U) << (bit % 8));
    }
  }
  EXPECT_TRUE(OpenWith(*round, 0, *Tables(begun, 0, shifted)).over_cap);
}

}  // namespace
}  // namespace comity::matching
