// SPDX-License-Identifier: Apache-2.0
// Terms, base OTs, trees and pads that an honest peer does not send.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "tests/unit/services/matching/sealed/sealed_ends.h"

namespace comity::matching {
namespace {

using comity::testing::FailsWith;
using comity::testing::IsOk;
using testing::FastestKernels;
using testing::SealedMessages;
using testing::SealedPads;
using testing::Template;
using testing::WrongLengths;

TEST_F(SealedMessages, TermsThatDoNotFitTheListAreRefused) {
  const auto honest = AnyEnds();
  const std::vector<std::function<void(SealedSessionTerms&)>> faults = {
      [](SealedSessionTerms& t) { t.header.bytes[0] ^= 1; },
      [](SealedSessionTerms& t) { t.tau = 1999; },
      [](SealedSessionTerms& t) { t.tau = 6001; },
      [](SealedSessionTerms& t) { t.tau = -4000; },
      [](SealedSessionTerms& t) { t.cap = 0; },
      [](SealedSessionTerms& t) { t.cap = 9; }};
  for (const auto& fault : faults) {
    SealedSessionTerms terms = Terms();
    fault(terms);
    EXPECT_THAT(Requester(terms, honest->holder.offer()), FailsWith(ErrorCode::kInvalidArgument));
    EXPECT_THAT(Holder(terms), FailsWith(ErrorCode::kInvalidArgument));
  }
  EXPECT_THAT(Requester(Terms(), honest->holder.offer(), 1024),
              FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_THAT(Holder(Terms(), 1024), FailsWith(ErrorCode::kInvalidArgument));
}

TEST_F(SealedMessages, BaseOtsAndTreesOfTheWrongLengthAreRefused) {
  for (const Bytes& offer : WrongLengths(ToBytes(AnyEnds()->holder.offer()))) {
    EXPECT_THAT(Requester(Terms(), offer), FailsWith(ErrorCode::kInvalidArgument));
  }
  for (const Bytes& answer : WrongLengths(ToBytes(AnyEnds()->requester.answer()))) {
    const auto ends = AnyEnds();
    EXPECT_THAT(ends->holder.OnAnswer(answer), FailsWith(ErrorCode::kInvalidArgument));
    EXPECT_THAT(ends->holder.OnAnswer(ends->requester.answer()), FailsWith(ErrorCode::kConflict));
    EXPECT_THAT(ends->holder.MakePads(), FailsWith(ErrorCode::kConflict));
  }
  const auto honest = AnyEnds();
  for (const Bytes& trees : WrongLengths(*honest->holder.OnAnswer(honest->requester.answer()))) {
    const auto ends = AnyEnds();
    EXPECT_THAT(ends->requester.OnTrees(trees), FailsWith(ErrorCode::kInvalidArgument));
    ExpectEnded(*ends, q_);
  }
}

TEST_F(SealedMessages, ASessionOfOtherTermsHasNoCommonTrees) {
  SealedSessionTerms other = Terms();
  other.cap = 4;  // what each side takes from its own agreement
  auto holder = *Holder(Terms());
  auto requester = *Requester(other, holder.offer());
  EXPECT_NE(requester.sid(), holder.sid());
  const Bytes trees = *holder.OnAnswer(requester.answer());
  EXPECT_THAT(requester.OnTrees(trees), FailsWith(ErrorCode::kCorrupt));
}

TEST_F(SealedMessages, AChangedTreeMessageEndsTheSession) {
  const auto ends = AnyEnds();
  Bytes trees = *ends->holder.OnAnswer(ends->requester.answer());
  for (auto& octet : trees) octet ^= 0x55;
  EXPECT_THAT(ends->requester.OnTrees(trees), FailsWith(ErrorCode::kCorrupt));
  ExpectEnded(*ends, q_);
}

TEST_F(SealedMessages, SetUpHappensOnceAndInOrder) {
  const auto early = AnyEnds();
  EXPECT_THAT(early->requester.OnPads({}), FailsWith(ErrorCode::kConflict));
  EXPECT_THAT(AnyEnds()->holder.MakePads(), FailsWith(ErrorCode::kConflict));
  const auto ends = AnyEnds();
  const Bytes trees = *ends->holder.OnAnswer(ends->requester.answer());
  ASSERT_THAT(ends->requester.OnTrees(trees), IsOk());
  EXPECT_THAT(ends->requester.OnTrees(trees), FailsWith(ErrorCode::kConflict));
  EXPECT_THAT(ends->holder.OnAnswer(ends->requester.answer()), FailsWith(ErrorCode::kConflict));
}

TEST_F(SealedPads, HaveTheLengthThatFollowsFromTheTerms) {
  EXPECT_EQ(ends_->holder.MakePads()->size(), PadBatchFor(300).message_bytes);
}

TEST_F(SealedPads, OfTheWrongLengthEndTheSession) {
  for (const Bytes& message : WrongLengths(*ends_->holder.MakePads())) {
    const auto ends = AnyEnds();
    ends->ExchangeTrees();
    EXPECT_THAT(ends->requester.OnPads(message), FailsWith(ErrorCode::kInvalidArgument));
    ExpectEnded(*ends, q_);
  }
}

TEST_F(SealedPads, WithACorrectionThatWasChangedEndTheSession) {
  Bytes message = *ends_->holder.MakePads();
  // The same column in all trees' corrections: one tree alone passes once in sixteen times.
  for (std::size_t tree = 0; tree < 31; ++tree)
    message[24 + tree * (message.size() - 72) / 31] ^= 1;
  EXPECT_THAT(ends_->requester.OnPads(message), FailsWith(ErrorCode::kCorrupt));
  ExpectEnded(*ends_, q_);
}

TEST_F(SealedPads, ThatAreReplayedEndTheSession) {
  const Bytes message = *ends_->holder.MakePads();
  ASSERT_THAT(ends_->requester.OnPads(message), IsOk());
  EXPECT_THAT(ends_->requester.OnPads(message), FailsWith(ErrorCode::kConflict));
  ExpectEnded(*ends_, q_);
}

TEST_F(SealedPads, OutOfOrderEndTheSession) {
  ASSERT_THAT(ends_->holder.MakePads(), IsOk());
  EXPECT_THAT(ends_->requester.OnPads(*ends_->holder.MakePads()), FailsWith(ErrorCode::kConflict));
  ExpectEnded(*ends_, q_);
}

TEST_F(SealedPads, ThatAreMissingEndTheRequestersSessionOnly) {
  const auto begun = *ends_->requester.Begin(testing::Secretly(std::vector<Template>{q_}), 1);
  const std::vector<ByteView> probes = {begun.probes[0]};
  EXPECT_THAT(ends_->holder.Begin(probes), FailsWith(ErrorCode::kUnavailable));
  EXPECT_EQ(ends_->holder.next_batch(), 0U);  // nothing is used up
  const std::vector<std::size_t> first = {0};
  EXPECT_THAT(ends_->requester.Accept(*begun.round, first), FailsWith(ErrorCode::kCorrupt));
  ExpectEnded(*ends_, q_);
  ASSERT_THAT(ends_->holder.MakePads(), IsOk());
  EXPECT_THAT(ends_->holder.Begin(probes), IsOk());
}

TEST_F(SealedPads, DoNotPileUpBeyondTheBoundOfEitherEnd) {
  const std::size_t batch = PadBatchFor(300).pads;
  auto holder = *Holder(Terms(), 0, 2 * batch);
  auto requester = *Requester(Terms(), holder.offer(), 0, batch);
  ASSERT_THAT(requester.OnTrees(*holder.OnAnswer(requester.answer())), IsOk());
  EXPECT_THAT(requester.OnPads(*holder.MakePads()), IsOk());
  EXPECT_THAT(requester.OnPads(*holder.MakePads()), FailsWith(ErrorCode::kExhausted));
  EXPECT_EQ(holder.pads(), 2 * batch);
  EXPECT_THAT(holder.MakePads(), FailsWith(ErrorCode::kExhausted));
}

}  // namespace
}  // namespace comity::matching
