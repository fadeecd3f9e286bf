// SPDX-License-Identifier: Apache-2.0
#include "crypto/sealed/ring.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "crypto/sealed/expand.h"
#include "crypto/sealed/ntt.h"
#include "tests/support/result_matchers.h"
#include "tests/unit/crypto/sealed/slow_reference.h"

namespace comity::sealed {
namespace {

using comity::testing::FailsWith;
using Small = std::array<std::int8_t, kRingDegree>;

Element Multiply(const Element& element, const Small& ternary) {
  Transformed left;
  Transformed right;
  Transform(element, left);
  TransformTernary(ternary, right);
  Element product;
  MultiplyTransformed(left, right, product);
  return product;
}

template <typename T>
reference::Polynomial Wide(const T& element) {
  return {element.begin(), element.end()};
}

void ExpectProduct(const Element& element, const Small& ternary) {
  EXPECT_EQ(Wide(Multiply(element, ternary)), reference::Product(Wide(element), Wide(ternary)));
}

TEST(RingProduct, IsExactAtTheExtremes) {
  Element largest;
  largest.fill(kModulusMask);
  Element middle;
  middle.fill(kModulus / 2);
  Small ones;
  ones.fill(1);
  Small minus_ones;
  minus_ones.fill(-1);
  Small alternating;
  for (std::size_t i = 0; i < kRingDegree; ++i) alternating[i] = i % 2 == 0 ? 1 : -1;
  for (const Element& element : {largest, middle, Element{}}) {
    for (const Small& ternary : {ones, minus_ones, alternating, Small{}}) {
      ExpectProduct(element, ternary);
    }
  }
}

TEST(RingProduct, EqualsTheSchoolbookOne) {
  std::mt19937_64 generator(7);
  for (int run = 0; run < 20; ++run) {
    Element element;
    Small ternary;
    for (std::uint32_t& value : element) value = generator() & kModulusMask;
    for (std::int8_t& value : ternary) value = static_cast<std::int8_t>(generator() % 3) - 1;
    ExpectProduct(element, ternary);
  }
}

TEST(RingProduct, XToThePowerNIsMinusOne) {
  Element element{};
  element[kRingDegree - 1] = 5;
  Small x{};
  x[1] = 1;
  Element expected{};
  expected[0] = kModulus - 5;
  EXPECT_EQ(Multiply(element, x), expected);
}

TEST(RingElement, IsEncodedInThreeOctetsLittleEndian) {
  Element element{};
  element[0] = 0x030201;
  element[1023] = 0xffeedd;
  std::array<std::uint8_t, kElementBytes> bytes;
  EncodeElement(element, bytes);
  EXPECT_THAT(std::span(bytes).first(4), ::testing::ElementsAre(1, 2, 3, 0));
  EXPECT_THAT(std::span(bytes).last(3), ::testing::ElementsAre(0xdd, 0xee, 0xff));
  Element again;
  ASSERT_TRUE(ParseElement(bytes, again));
  EXPECT_EQ(again, element);
}

TEST(RingElement, OfAnotherLengthIsRefused) {
  Element element;
  const Bytes bytes(kElementBytes + 1);
  EXPECT_THAT(ParseElement(bytes, element), FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_THAT(ParseElement(ByteView(bytes).first(kElementBytes - 1), element),
              FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_THAT(ParseElement({}, element), FailsWith(ErrorCode::kInvalidArgument));
}

TEST(Expansion, EqualsTheReference) {
  for (std::uint8_t seed = 0; seed < 20; ++seed) {
    const Bytes key(32, seed);
    Element element;
    ExpandPublic(key, 512, element);
    EXPECT_EQ(Wide(element), reference::PublicElement(key, 512));
    Small small;
    ExpandTernary(key, kSecretLabel, small);
    EXPECT_EQ(Wide(small), reference::Ternary(key, 2));
    ExpandTernary(key, kBlindLabel, small);
    EXPECT_EQ(Wide(small), reference::Ternary(key, 4));
    ExpandError(key, kErrorLabel, 17, small);
    EXPECT_EQ(Wide(small), reference::Error(key, 3, 17));
  }
}

TEST(Expansion, ErrorsAndTernariesHaveTheirLaws) {
  // 100 elements: the mean of 102,400 errors is within 5 sd (0.2) of 0, their variance within 5 sd
  // of 2 (32^2 - 1) / 12 = 170.5, and each ternary value within 5 sd of a third.
  double sum = 0;
  double squares = 0;
  std::array<int, 3> ternaries{};
  for (std::uint8_t seed = 0; seed < 100; ++seed) {
    Small small;
    ExpandError(Bytes(32, seed), kErrorLabel, 0, small);
    for (const int e : small) {
      sum += e;
      squares += e * e;
      ASSERT_LE(std::abs(e), 31);
    }
    ExpandTernary(Bytes(32, seed), kSecretLabel, small);
    for (const int s : small) ++ternaries.at(static_cast<std::size_t>(s + 1));
  }
  const double count = 102400;
  EXPECT_NEAR(sum / count, 0, 0.21);
  EXPECT_NEAR(squares / count, 170.5, 3.2);
  for (const int occurrences : ternaries) EXPECT_NEAR(occurrences, count / 3, 760);
}

}  // namespace
}  // namespace comity::sealed
