// SPDX-License-Identifier: Apache-2.0
#include "crypto/sealed/quantise.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "crypto/sealed/profile.h"
#include "tests/support/result_matchers.h"
#include "tests/unit/crypto/sealed/samples.h"

namespace comity::sealed {
namespace {

using comity::testing::FailsWith;
using comity::testing::IsOk;

constexpr std::size_t kDimensions[] = {128, 256, 512, 1024};

TEST(Quantiser, OnlyTheFourDimensions) {
  for (const std::size_t d : {0U, 64U, 127U, 192U, 2048U}) {
    EXPECT_THAT(Quantiser::Create(d), FailsWith(ErrorCode::kInvalidArgument));
  }
  const auto quantiser = *Quantiser::Create(128);
  for (const std::size_t d : {0U, 127U, 129U, 256U}) {
    EXPECT_THAT(quantiser.Quantise(std::vector<float>(d, 0.1F)),
                FailsWith(ErrorCode::kInvalidArgument));
  }
}

TEST(Quantiser, RefusesWhatIsNotFinite) {
  for (const float bad :
       {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity(),
        -std::numeric_limits<float>::infinity()}) {
    for (const std::size_t at : {0U, 77U, 127U}) {
      auto v = testing::Faces(128, 1).Unit();
      v[at] = bad;
      EXPECT_THAT(Quantiser::Create(128)->Quantise(v), FailsWith(ErrorCode::kInvalidArgument));
    }
  }
}

TEST(Quantiser, RefusesNormsOutOfRange) {
  for (const std::size_t d : kDimensions) {
    const auto quantiser = *Quantiser::Create(d);
    const auto unit = testing::Faces(d, 2).Unit();
    for (const auto& [factor, good] : {std::pair{0.0F, false},
                                       {1e-40F, false},
                                       {0.49F, false},
                                       {0.51F, true},
                                       {1.0F, true},
                                       {1.99F, true},
                                       {2.01F, false},
                                       {1e20F, false}}) {
      auto v = unit;
      for (float& x : v) x *= factor;
      EXPECT_EQ(quantiser.Quantise(v).has_value(), good) << d << " " << factor;
    }
    EXPECT_THAT(quantiser.Quantise(std::vector<float>(d, 3e38F)),
                FailsWith(ErrorCode::kInvalidArgument));
  }
}

TEST(Quantiser, UnevenVectorsBecomeTemplatesToo) {
  for (const std::size_t d : kDimensions) {
    const auto quantiser = *Quantiser::Create(d);
    for (std::size_t at = 0; at < d; ++at) {
      std::vector<float> one_hot(d);
      one_hot[at] = at % 2 == 0 ? 1.0F : -1.0F;
      ASSERT_THAT(quantiser.Quantise(one_hot), IsOk()) << d << " " << at;
    }
    const float even = static_cast<float>(1 / std::sqrt(static_cast<double>(d)));
    EXPECT_THAT(quantiser.Quantise(std::vector<float>(d, even)), IsOk());
    std::vector<float> two(d);
    two[0] = two[d - 1] = 0.7F;
    EXPECT_THAT(quantiser.Quantise(two), IsOk());
  }
}

TEST(Quantiser, DenormalElementsCountAsTheyAre) {
  const auto quantiser = *Quantiser::Create(256);
  auto v = testing::Faces(256, 3).Unit();
  auto zeros = v;
  for (std::size_t j = 0; j < 200; ++j) {
    v[j] = std::numeric_limits<float>::denorm_min();
    zeros[j] = 0;
  }
  for (std::size_t j = 200; j < 256; ++j) zeros[j] = v[j] *= 2;
  const auto x = quantiser.Quantise(v);
  ASSERT_THAT(x, IsOk());
  EXPECT_THAT(x->Expose(), ::testing::ElementsAreArray(quantiser.Quantise(zeros)->Expose()));
}

TEST(Quantiser, TheScaleOfTheInputDoesNotMatter) {
  const auto quantiser = *Quantiser::Create(512);
  auto v = testing::Faces(512, 4).Unit();
  const auto x = quantiser.Quantise(v);
  for (float& value : v) value *= 0.5F;  // exact
  for (float& value : v) value *= 2.0F * 1.0F;
  EXPECT_THAT(quantiser.Quantise(v)->Expose(), ::testing::ElementsAreArray(x->Expose()));
}

TEST(Quantiser, TheErrorOfACosineIsSmall) {
  // 1 / (alpha sqrt 6) is the law of rounding; uneven vectors must do no worse.
  for (const std::size_t d : kDimensions) {
    testing::Faces faces(d, 5);
    const double c = 64516.0 * static_cast<double>(d) / 121;
    double squares = 0;
    constexpr int kPairs = 300;
    for (int pair = 0; pair < kPairs; ++pair) {
      auto uneven = faces.Unit();
      for (std::size_t j = 3; j < d && pair % 2 == 0; ++j) uneven[j] *= 0.1F;
      double norm = 0;
      for (const float x : uneven) norm += double{x} * double{x};
      for (float& x : uneven) x = static_cast<float>(double{x} / std::sqrt(norm));
      const auto other = faces.UnitAt(uneven, 0.6);
      const auto x = faces.Quantise(uneven);
      const auto y = faces.Quantise(other);
      double dot = 0;
      for (std::size_t j = 0; j < d; ++j) dot += x[j] * y[j];
      squares += std::pow(dot / c - 0.6, 2);
    }
    const double law = 1 / std::sqrt(6 * c);
    EXPECT_LT(std::sqrt(squares / kPairs), 1.25 * law) << d;
  }
}

}  // namespace
}  // namespace comity::sealed
