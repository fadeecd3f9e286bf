// SPDX-License-Identifier: Apache-2.0
#include "crypto/sealed/probe.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/result_matchers.h"
#include "tests/unit/crypto/sealed/samples.h"
#include "tests/unit/crypto/sealed/slow_reference.h"

namespace comity::sealed {
namespace {

using comity::testing::FailsWith;
using comity::testing::IsOk;
using testing::Faces;
using testing::PublicSeed;
using testing::SeededRandom;

class Probing : public ::testing::Test {
 protected:
  Probe Blind(std::uint8_t seed) const {
    return *Probe::Blind(matrix_, q_, SecretBytes::CopyOf(Bytes(32, seed)), FastestKernel());
  }
  const PublicMatrix matrix_ = *PublicMatrix::Expand(PublicSeed(), 128);
  const std::vector<std::int8_t> q_ = Faces(128, 1).Template();
};

TEST_F(Probing, TheMessageEqualsTheFormula) {
  for (const std::uint8_t seed : {std::uint8_t{1}, std::uint8_t{2}}) {
    Element c;
    ASSERT_TRUE(ParseElement(Blind(seed).message(), c));
    EXPECT_TRUE(std::ranges::equal(c, reference::BlindedProbe(PublicSeed(), q_, Bytes(32, seed))));
  }
}

TEST_F(Probing, EveryKernelMakesTheSameMessage) {
  const Bytes message = ToBytes(Blind(1).message());
  for (const Kernel kernel : SupportedKernels()) {
    const auto probe = Probe::Blind(matrix_, q_, SecretBytes::CopyOf(Bytes(32, 1)), kernel);
    EXPECT_EQ(ToBytes(probe->message()), message);
  }
}

TEST_F(Probing, RefusesWhatIsNoTemplate) {
  const auto blind = [&](const std::vector<std::int8_t>& q, std::size_t seed_size) {
    return Probe::Blind(matrix_, q, SecretBytes(seed_size), Kernel::kPortable);
  };
  EXPECT_THAT(blind(q_, 31), FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_THAT(blind(Faces(256, 1).Template(), 32), FailsWith(ErrorCode::kInvalidArgument));
  auto q = q_;
  q[0] = -128;
  EXPECT_THAT(blind(q, 32), FailsWith(ErrorCode::kInvalidArgument));
  for (auto& x : q) x = 0;
  EXPECT_THAT(blind(q, 32), FailsWith(ErrorCode::kInvalidArgument));
}

TEST_F(Probing, SeedsDifferWithEverythingTheyAreDrawnFrom) {
  const auto draw = [&](std::uint8_t random_seed, std::uint8_t session, std::uint64_t number,
                        const std::vector<std::int8_t>& q) {
    SeededRandom random(random_seed);
    Digest digest;
    digest.bytes.fill(session);
    return ToBytes(DrawProbeSeed(digest, number, q, random).Expose());
  };
  const Bytes seed = draw(1, 1, 1, q_);
  EXPECT_EQ(seed, draw(1, 1, 1, q_));
  EXPECT_NE(seed, draw(2, 1, 1, q_));
  // A machine that repeats its randomness still has another seed for another probe.
  EXPECT_NE(seed, draw(1, 2, 1, q_));
  EXPECT_NE(seed, draw(1, 1, 2, q_));
  auto other = q_;
  std::swap(other[0], other[1]);
  EXPECT_NE(seed, draw(1, 1, 1, other));
}

TEST_F(Probing, AnHonestProbeOpens) {
  const Probe probe = Blind(7);
  EXPECT_THAT(VerifyOpening(matrix_, q_, probe.seed().Expose(), probe.message()), IsOk());
}

TEST_F(Probing, WhatDiffersInAnythingDoesNotOpen) {
  const Probe probe = Blind(7);
  const ByteView z = probe.seed().Expose();
  for (const std::size_t at : {std::size_t{0}, std::size_t{1500}, kElementBytes - 1}) {
    auto message = ToBytes(probe.message());
    message[at] ^= 0x80;
    EXPECT_THAT(VerifyOpening(matrix_, q_, z, message), FailsWith(ErrorCode::kCorrupt));
  }
  Bytes other_seed = ToBytes(z);
  other_seed[0] ^= 1;
  EXPECT_THAT(VerifyOpening(matrix_, q_, other_seed, probe.message()),
              FailsWith(ErrorCode::kCorrupt));
  auto q = q_;
  q[5] = static_cast<std::int8_t>(q[5] - 1);
  EXPECT_THAT(VerifyOpening(matrix_, q, z, probe.message()), FailsWith(ErrorCode::kCorrupt));
  for (auto& x : q) x = 127;  // the norm that would let a probe hit everybody
  EXPECT_THAT(VerifyOpening(matrix_, q, z, probe.message()),
              FailsWith(ErrorCode::kInvalidArgument));
}

TEST_F(Probing, OpeningsOfTheWrongLengthAreRefused) {
  const Probe probe = Blind(7);
  const Bytes longer(kElementBytes + 1);
  EXPECT_THAT(VerifyOpening(matrix_, q_, probe.seed().Expose(), longer),
              FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_THAT(VerifyOpening(matrix_, q_, Bytes(33), probe.message()),
              FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_THAT(VerifyOpening(matrix_, std::vector<std::int8_t>(127, 20), probe.seed().Expose(),
                            probe.message()),
              FailsWith(ErrorCode::kInvalidArgument));
}

TEST_F(Probing, ACraftedMessageOpensUnderNoSeedTried) {
  Element crafted{};
  crafted[17] = 1U << 21;
  std::array<std::uint8_t, kElementBytes> message;
  EncodeElement(crafted, message);
  for (std::uint8_t seed = 0; seed < 20; ++seed) {
    EXPECT_THAT(VerifyOpening(matrix_, q_, Bytes(32, seed), message),
                FailsWith(ErrorCode::kCorrupt));
  }
}

// A seed that came twice would show the difference of two probes: this is why it must not.
TEST_F(Probing, TwoMessagesUnderOneSeedShowTheDifferenceOfTheirProbes) {
  auto q = q_;
  std::swap(q[0], q[1]);
  Element first;
  Element second;
  ASSERT_TRUE(ParseElement(Blind(1).message(), first));
  const auto other = Probe::Blind(matrix_, q, SecretBytes::CopyOf(Bytes(32, 1)), Kernel::kPortable);
  ASSERT_TRUE(ParseElement(other->message(), second));
  const auto a = reference::PublicElement(PublicSeed(), 1);
  const auto b = reference::PublicElement(PublicSeed(), 2);
  for (std::size_t i = 0; i < kRingDegree; ++i) {
    const std::int64_t difference = (q_[0] - q_[1]) * (a[i] - b[i]);
    ASSERT_EQ(reference::Mod(std::int64_t{first[i]} - second[i]), reference::Mod(difference));
  }
}

TEST_F(Probing, ATombstoneDoesNotShiftTheMasksOfOthers) {
  const std::vector<std::uint32_t> filled = {1024, 300};
  const auto all = *SlotSet::Create(filled, {});
  const auto fewer = *SlotSet::Create(filled, std::vector<std::uint32_t>{1, 500});
  const Probe probe = Blind(3);
  const auto masks = probe.Masks(all);
  const auto left = probe.Masks(fewer);
  for (std::size_t i = 0; i < fewer.size(); ++i) {
    ASSERT_EQ(left.Expose()[i], masks.Expose()[fewer.numbers()[i] - 1]);
  }
  const auto ones = std::ranges::count(masks.Expose(), 1);
  EXPECT_NEAR(static_cast<double>(ones), 662, 91);  // 5 sd
  EXPECT_EQ(probe.Masks(*SlotSet::Create({}, {})).size(), 0U);
}

}  // namespace
}  // namespace comity::sealed
