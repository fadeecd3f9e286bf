// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <vector>

#include "crypto/base/random.h"
#include "tests/accuracy/accuracy.h"

namespace comity::accuracy {
namespace {

TEST(SealedAccuracy, LosesNoMoreThanTheBarsOnRealTemplatesOverTheUsefulThresholds) {
  const auto faces =
      demo::LoadFaceSet(std::string(COMITY_SOURCE_DIR) + "/tests/data/lfw_facenet128", 0);
  ASSERT_TRUE(faces.has_value());
  const auto profile = sealed::Profile::Create({.dimension = faces->dimension,
                                                .compared_bits = sealed::kComparedBits,
                                                .tau_min = 3000,
                                                .tau_max = 8000,
                                                .cos_min = -10000});
  ASSERT_TRUE(profile.has_value());
  std::vector<std::int32_t> taus;
  for (std::int32_t tau = 3000; tau <= 8000; tau += 500) taus.push_back(tau);
  SystemRandom random;
  const auto rows = Evaluate(*faces, *profile, taus, 20, sealed::FastestKernel(), random);
  double loss = 0;
  for (const Row& row : rows) {
    loss += row.tpir_loss() / static_cast<double>(rows.size());
    EXPECT_LE(row.dithered.tpir - row.tpir.value, 0.002) << "threshold " << row.tau * 1e-4;
    EXPECT_LE(row.fpir.value, 1.1 * row.dithered.fpir + 0.001) << "threshold " << row.tau * 1e-4;
    // At one threshold chance decides how many of 931 faces lie in the dither and on which side.
    EXPECT_LE(row.tpir_loss(), 0.012) << "threshold " << row.tau * 1e-4;
  }
  EXPECT_LE(loss, 0.002);
}

TEST(SealedAccuracy, AMeanComesWithTheIntervalOfStudent) {
  const std::vector<double> values = {1, 2, 3};
  const Mean mean = MeanOf(values);
  EXPECT_DOUBLE_EQ(mean.value, 2);
  EXPECT_NEAR(mean.half_width, 4.303 / std::sqrt(3.0), 1e-9);
}

}  // namespace
}  // namespace comity::accuracy
