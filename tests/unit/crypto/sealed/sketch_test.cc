// SPDX-License-Identifier: Apache-2.0
#include "crypto/sealed/sketch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>

#include "crypto/sealed/gf20.h"
#include "crypto/sealed/sketch_decode.h"
#include "tests/support/result_matchers.h"

namespace comity::sealed {
namespace {

using comity::testing::FailsWith;
using comity::testing::IsOk;
using Numbers = std::vector<std::uint32_t>;

// The sums straight from their definition, for any numbers.
Sketch SketchOf(const Numbers& numbers, unsigned cap) {
  Sketch sketch{.cap = cap};
  for (std::size_t j = 0; j < cap + 2; ++j) {
    for (const std::uint32_t number : numbers) {
      std::uint32_t power = 1;
      for (std::size_t k = 0; k < 2 * j + 1; ++k) power = gf20::Multiply(power, number);
      sketch.sums.at(j) ^= power;
    }
  }
  return sketch;
}

// 340 blocks: 340,000 and some slots, among them some withdrawn.
const SlotSet& LargeList() {
  static const SlotSet slots =
      *SlotSet::Create(Numbers(340, 1000), Numbers{1, 17, 1025, 340 * 1024 - 24});
  return slots;
}

Numbers RandomSlots(std::size_t count, std::mt19937_64& generator) {
  std::set<std::uint32_t> chosen;
  while (chosen.size() < count) {
    chosen.insert(LargeList().numbers()[generator() % LargeList().size()]);
  }
  return {chosen.begin(), chosen.end()};
}

TEST(Gf20, IsAFieldWithAGeneratorX) {
  // x has the order 2^20 - 1 = 3 5^2 11 31 41.
  const auto power = [](std::uint32_t base, std::uint32_t exponent) {
    std::uint32_t result = 1;
    for (; exponent != 0; exponent /= 2) {
      if (exponent % 2 == 1) result = gf20::Multiply(result, base);
      base = gf20::Multiply(base, base);
    }
    return result;
  };
  EXPECT_EQ(power(2, 1048575), 1U);
  for (const std::uint32_t factor : {3U, 5U, 11U, 31U, 41U}) {
    EXPECT_NE(power(2, 1048575 / factor), 1U) << factor;
  }
  EXPECT_EQ(gf20::Multiply(1U << 19, 2), 9U);  // x^20 = x^3 + 1
  EXPECT_EQ(gf20::Inverse(0), 0U);
  for (std::uint32_t a = 1; a < 1048576; a += 997)
    EXPECT_EQ(gf20::Multiply(a, gf20::Inverse(a)), 1U);
}

TEST(Sketch, FoldsToTheSumsOfTheDefinition) {
  const auto slots = *SlotSet::Create(Numbers{40, 0, 30}, Numbers{7});
  std::mt19937_64 generator(1);
  for (unsigned cap = 1; cap <= kMaxCap; ++cap) {
    const auto table = *SketchTable::Create(slots, cap);
    std::vector<std::uint8_t> bits(slots.size());
    Numbers chosen;
    for (std::size_t i = 0; i < slots.size(); ++i) {
      bits[i] = generator() & 1;
      if (bits[i] == 1) chosen.push_back(slots.numbers()[i]);
    }
    EXPECT_EQ(table.Fold(bits), SketchOf(chosen, cap));
  }
}

TEST(Sketch, SurvivesTheWire) {
  std::mt19937_64 generator(2);
  for (unsigned cap = 1; cap <= kMaxCap; ++cap) {
    const Sketch sketch = SketchOf(RandomSlots(20, generator), cap);
    const Bytes bytes = EncodeSketch(sketch);
    EXPECT_EQ(bytes.size(), (20 * (cap + 2) + 7) / 8);
    EXPECT_EQ(*ParseSketch(bytes, cap), sketch);
  }
}

TEST(Sketch, BrokenEncodingsAreRefused) {
  EXPECT_THAT(ParseSketch(Bytes(18), 5), IsOk());
  for (const std::size_t size : {0U, 17U, 19U}) {
    EXPECT_THAT(ParseSketch(Bytes(size), 5), FailsWith(ErrorCode::kInvalidArgument));
  }
  Bytes spare(18);
  spare[17] = 0x10;
  EXPECT_THAT(ParseSketch(spare, 5), FailsWith(ErrorCode::kInvalidArgument));
  for (const unsigned cap : {0U, 9U, 4294967294U, 4294967295U}) {
    EXPECT_THAT(ParseSketch(Bytes(5), cap), FailsWith(ErrorCode::kInvalidArgument));
    EXPECT_THAT(SketchTable::Create(LargeList(), cap), FailsWith(ErrorCode::kInvalidArgument));
  }
}

class SketchDecoding : public ::testing::TestWithParam<unsigned> {};

TEST_P(SketchDecoding, FindsUpToCapHitsExactlyAndNoMore) {
  const unsigned cap = GetParam();
  std::mt19937_64 generator(cap);
  for (std::size_t weight = 0; weight <= cap + 2; ++weight) {
    for (int run = 0; run < 20; ++run) {
      const Numbers chosen = RandomSlots(weight, generator);
      const auto decoded = DecodeSketch(SketchOf(chosen, cap), LargeList());
      if (weight == 0) {
        ASSERT_EQ(decoded.outcome, HitOutcome::kNoHit);
      } else if (weight <= cap) {
        ASSERT_EQ(decoded.outcome, HitOutcome::kHits);
        ASSERT_EQ(decoded.slots, chosen);
      } else {
        ASSERT_EQ(decoded.outcome, HitOutcome::kOverCap) << weight;
        ASSERT_TRUE(decoded.slots.empty());
      }
    }
  }
}

TEST_P(SketchDecoding, HeavySetsAndArbitraryOctetsAreOverTheCap) {
  const unsigned cap = GetParam();
  std::mt19937_64 generator(100 + cap);
  for (int run = 0; run < 200; ++run) {
    const std::size_t weight = cap + 3 + generator() % 40;
    ASSERT_EQ(DecodeSketch(SketchOf(RandomSlots(weight, generator), cap), LargeList()).outcome,
              HitOutcome::kOverCap);
    Sketch sketch{.cap = cap};
    for (std::size_t j = 0; j < cap + 2; ++j) sketch.sums.at(j) = generator() & gf20::kMask;
    ASSERT_EQ(DecodeSketch(sketch, LargeList()).outcome, HitOutcome::kOverCap);
  }
}

TEST_P(SketchDecoding, SlotsOutsideTheSetAreOverTheCap) {
  const unsigned cap = GetParam();
  // withdrawn, withdrawn, never filled, beyond the list
  for (const std::uint32_t outside : {1U, 1025U, 1001U, 1'048'575U}) {
    EXPECT_EQ(DecodeSketch(SketchOf({outside}, cap), LargeList()).outcome, HitOutcome::kOverCap);
  }
}

INSTANTIATE_TEST_SUITE_P(Caps, SketchDecoding, ::testing::Values(1, 2, 3, 5, 8));

// Sums of a set with one more element than decoding can hold apart: a double root, a zero root.
TEST(SketchDecodingOfCraftedSums, AnswersOverTheCap) {
  Sketch sketch{.cap = 5};
  sketch.sums[0] = 5;  // S_1 of {5}, the rest zero
  EXPECT_EQ(DecodeSketch(sketch, LargeList()).outcome, HitOutcome::kOverCap);
  sketch = Sketch{.cap = 5};
  sketch.sums[6] = 1;  // only the last sum is not zero
  EXPECT_EQ(DecodeSketch(sketch, LargeList()).outcome, HitOutcome::kOverCap);
  sketch = SketchOf({5}, 5);
  sketch.sums[6] ^= 1;
  EXPECT_EQ(DecodeSketch(sketch, LargeList()).outcome, HitOutcome::kOverCap);
  const auto empty = *SlotSet::Create({}, {});
  EXPECT_EQ(DecodeSketch(SketchOf({5}, 5), empty).outcome, HitOutcome::kOverCap);
}

// What binds a cheating holder is one sketch a probe, however many lists it splits its list into.
TEST(Sketch, OfSeveralListsIsOneSketchOfShiftedNumbers) {
  const auto first = *SlotSet::Create(Numbers{1024, 40}, Numbers{7});
  const auto second = *SlotSet::Create(Numbers{30}, Numbers{9});
  const PlacedSlots lists[] = {{&first, 0}, {&second, 2}};
  std::vector<std::uint8_t> bits(first.size());
  bits[5] = bits.back() = 1;  // 6 and 1024 + 40
  std::vector<std::uint8_t> more(second.size());
  more.back() = 1;  // 30, after two blocks
  const Sketch sketch = Difference(SketchTable::Create(lists[0], 5)->Fold(bits),
                                   SketchTable::Create(lists[1], 5)->Fold(more));
  EXPECT_EQ(sketch, SketchOf({6, 1064, 2 * 1024 + 30}, 5));
  EXPECT_EQ(DecodeSketch(sketch, lists).slots, (Numbers{6, 1064, 2 * 1024 + 30}));
  for (const std::uint32_t outside : {7U, 1065U, 2048U, 2048U + 9, 2048U + 31}) {
    EXPECT_EQ(DecodeSketch(SketchOf({outside}, 5), lists).outcome, HitOutcome::kOverCap);
  }
}

TEST(Sketch, ListsBeyondTheFieldAreRefused) {
  const auto full = *SlotSet::Create(Numbers{1024}, {});
  const auto almost = *SlotSet::Create(Numbers{1023}, {});
  EXPECT_THAT(SketchTable::Create(PlacedSlots{&almost, 1023}, 5), IsOk());
  EXPECT_THAT(SketchTable::Create(PlacedSlots{&full, 1023}, 5),
              FailsWith(ErrorCode::kInvalidArgument));
  for (const std::uint32_t first_block : {1024U, 1U << 22, 0xffffffffU}) {
    EXPECT_THAT(SketchTable::Create(PlacedSlots{&almost, first_block}, 5),
                FailsWith(ErrorCode::kInvalidArgument));
  }
}

TEST(Sketch, MasksCancel) {
  const auto table = *SketchTable::Create(LargeList(), 5);
  std::mt19937_64 generator(9);
  std::vector<std::uint8_t> rho(LargeList().size());
  for (auto& bit : rho) bit = generator() & 1;
  auto m = rho;
  Numbers hits;
  for (const std::size_t position : {std::size_t{3}, std::size_t{70'000}, rho.size() - 1}) {
    m[position] ^= 1;
    hits.push_back(LargeList().numbers()[position]);
  }
  const auto decoded = DecodeSketch(Difference(table.Fold(m), table.Fold(rho)), LargeList());
  EXPECT_EQ(decoded.outcome, HitOutcome::kHits);
  EXPECT_EQ(decoded.slots, hits);
}

}  // namespace
}  // namespace comity::sealed
