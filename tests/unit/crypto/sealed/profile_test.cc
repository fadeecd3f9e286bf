// SPDX-License-Identifier: Apache-2.0
#include "crypto/sealed/profile.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/result_matchers.h"
#include "tests/unit/crypto/sealed/samples.h"

namespace comity::sealed {
namespace {

using comity::testing::FailsWith;
using comity::testing::IsOk;

struct ScalesCase {
  std::int32_t tau_max;
  std::array<std::uint32_t, 4> deltas;  // d = 128, 256, 512, 1024
};

TEST(Profile, DeltasAreThoseOfTheTable) {
  const ScalesCase cases[] = {
      {5000, {104, 52, 26, 13}}, {6000, {96, 48, 24, 12}}, {9000, {77, 38, 19, 9}}};
  for (const ScalesCase& c : cases) {
    for (std::size_t i = 0; i < 4; ++i) {
      const auto profile = Profile::Create({.dimension = 128U << i, .tau_max = c.tau_max});
      ASSERT_THAT(profile, IsOk());
      EXPECT_EQ(profile->delta(), c.deltas[i]) << "d " << (128 << i) << " tau " << c.tau_max;
    }
  }
}

TEST(Profile, NoScoreOfTheRangeWraps) {
  for (const std::int32_t cos_min : {-10000, -6500, -5000}) {
    for (const std::int32_t tau_max : {2000, 5000, 6000, 7500, 9000, 10000}) {
      for (std::uint32_t d = 128; d <= 1024; d *= 2) {
        const auto profile =
            *Profile::Create({.dimension = d, .tau_max = tau_max, .cos_min = cos_min});
        const double scale = profile.delta() * 64516.0 * d / 121;
        const double most = (1 << 23) - (1 << 16) - (1 << 17);  // the noise has 2^17 to itself
        EXPECT_LE((tau_max - cos_min) * 1e-4 * scale, most);
        EXPECT_LE((10200 - 2000) * 1e-4 * scale, most);
        EXPECT_NEAR(*profile.Threshold(tau_max), tau_max * 1e-4 * scale, 0.5 + 1e-6);
      }
    }
  }
}

TEST(Profile, AThresholdIsRoundedFromExactIntegers) {
  const auto profile = *Profile::Create({.dimension = 512});
  EXPECT_EQ(*profile.Threshold(2000), 1'310'368U);  // 0.2 * 24 * 64516 * 512 / 121 = 1310367.95
  EXPECT_EQ(*profile.Threshold(3500), 2'293'144U);  // 2293143.91
}

TEST(Profile, AThresholdOutsideTheRangeIsRefused) {
  const auto profile = *Profile::Create({.dimension = 512});
  EXPECT_THAT(profile.Threshold(2000), IsOk());
  EXPECT_THAT(profile.Threshold(6000), IsOk());
  for (const std::int32_t tau : {1999, 6001, 0, -2000, -2147483647 - 1, 2147483647}) {
    EXPECT_THAT(profile.Threshold(tau), FailsWith(ErrorCode::kInvalidArgument)) << tau;
  }
}

TEST(Profile, AHeaderWithAnotherDeltaIsRefused) {
  const Scales scales{.dimension = 512};
  EXPECT_THAT(Profile::FromHeader(scales, 24), IsOk());
  for (const std::uint64_t delta : {0ULL, 23ULL, 25ULL, 24ULL + (1ULL << 32)}) {
    EXPECT_THAT(Profile::FromHeader(scales, delta), FailsWith(ErrorCode::kCorrupt)) << delta;
  }
}

TEST(Profile, ScalesOutsideTheProfileAreRefused) {
  const Scales wrong[] = {
      {.dimension = 0},
      {.dimension = 500},
      {.dimension = 2048},
      {.dimension = 512, .compared_bits = 6},
      {.dimension = 512, .compared_bits = 8},
      {.dimension = 512, .tau_min = -1},
      {.dimension = 512, .tau_min = 6001},
      {.dimension = 512, .tau_max = 10001},
      {.dimension = 512, .cos_min = -10001},
      {.dimension = 512, .cos_min = -4999},
      {.dimension = 512, .tau_max = 2147483647, .cos_min = -2147483647 - 1},
  };
  for (const Scales& scales : wrong) {
    EXPECT_THAT(Profile::Create(scales), FailsWith(ErrorCode::kInvalidArgument));
  }
}

TEST(CheckTemplate, RefusesMinus128AndNormsFurtherOffThanAFiftieth) {
  testing::Faces faces(512, 1);
  auto x = faces.Template();
  EXPECT_THAT(CheckTemplate(x), IsOk());
  const std::int8_t first = x[0];
  x[0] = -128;
  EXPECT_THAT(CheckTemplate(x), FailsWith(ErrorCode::kInvalidArgument));
  x[0] = first;
  x.pop_back();
  EXPECT_THAT(CheckTemplate(x), FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_THAT(CheckTemplate(std::vector<std::int8_t>(512, 23)),  // 270848 of 272992
              IsOk());
  EXPECT_THAT(CheckTemplate(std::vector<std::int8_t>(512, 24)),
              FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_THAT(CheckTemplate(std::vector<std::int8_t>(512, 22)),
              FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_THAT(CheckTemplate(std::vector<std::int8_t>(512, 127)),
              FailsWith(ErrorCode::kInvalidArgument));
}

}  // namespace
}  // namespace comity::sealed
