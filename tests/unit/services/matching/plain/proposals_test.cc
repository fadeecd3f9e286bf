// SPDX-License-Identifier: Apache-2.0
#include "services/matching/plain/proposals.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "tests/support/result_matchers.h"
#include "tests/unit/services/matching/matching_support.h"

namespace comity::matching {
namespace {

using comity::testing::FailsWith;
using comity::testing::IsOk;
using testing::Matrix;
using testing::RandomUnitRows;

Proposals ProposalsOf(const Matrix& rows, std::size_t dimension) {
  Proposals proposals(dimension, rows.size() / dimension);
  for (std::size_t row = 0; row < proposals.rows(); ++row) {
    EXPECT_THAT(proposals.SetRow(row, std::span(rows).subspan(row * dimension, dimension)), IsOk());
  }
  return proposals;
}

double Dot(std::span<const float> a, std::span<const float> b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += double{a[i]} * double{b[i]};
  return sum;
}

std::vector<std::uint32_t> Proposed(const Proposals& proposals, std::span<const float> probe,
                                    double threshold) {
  const auto found = proposals.Find(probe, threshold, sealed::FastestKernel());
  EXPECT_THAT(found, IsOk());
  return found->front();
}

// Every row is taken with its own score as the threshold, the hardest there is.
void ExpectEachRowIsProposedAtItsScore(const Matrix& rows, std::span<const float> probe,
                                       std::size_t dimension) {
  const Proposals proposals = ProposalsOf(rows, dimension);
  for (std::size_t row = 0; row < proposals.rows(); ++row) {
    const double score = Dot(std::span(rows).subspan(row * dimension, dimension), probe);
    if (score <= 0) continue;
    EXPECT_THAT(Proposed(proposals, probe, score), ::testing::Contains(row)) << score;
  }
}

// Unit vectors at a random angle from `centre`, so that all cosines occur.
Matrix RowsAround(const Matrix& centre, std::size_t count, std::uint64_t seed) {
  const std::size_t dimension = centre.size();
  Matrix rows = RandomUnitRows(count, dimension, seed);
  std::mt19937_64 generator(seed);
  std::uniform_real_distribution<float> part(0, 4);
  for (std::size_t row = 0; row < count; ++row) {
    const float weight = part(generator);
    for (std::size_t j = 0; j < dimension; ++j) rows[row * dimension + j] += weight * centre[j];
    testing::ScaleToUnit(std::span(rows).subspan(row * dimension, dimension));
  }
  return rows;
}

TEST(Proposals, HaveEveryRowAtItsOwnScore) {
  for (const std::size_t dimension : {128U, 256U, 512U, 1024U}) {
    const Matrix probe = RandomUnitRows(1, dimension, dimension);
    ExpectEachRowIsProposedAtItsScore(RowsAround(probe, 100, 5), probe, dimension);
  }
}

// The rotation spreads none of these evenly: some elements are clipped.
TEST(Proposals, HaveRowsThatAreClipped) {
  constexpr std::size_t kDimension = 256;
  const auto quantiser = *sealed::Quantiser::Create(kDimension);
  // Aligned with one element of the canonical template, found by climbing: the row that is all at
  // one place after the rotation.
  Matrix row = RandomUnitRows(1, kDimension, 9);
  double worst = 0;
  for (int round = 0; round < 4; ++round) {
    const auto at = quantiser.Approximate(row);
    ASSERT_THAT(at, IsOk());
    const auto elements = at->elements.Expose();
    const auto peak = static_cast<std::size_t>(std::max_element(elements.begin(), elements.end()) -
                                               elements.begin());
    // The gradient of that element: its change as each coordinate changes.
    Matrix gradient(kDimension);
    for (std::size_t j = 0; j < kDimension; ++j) {
      Matrix moved(kDimension, 0.0F);
      moved[j] = 1.0F;
      gradient[j] = static_cast<float>(quantiser.Approximate(moved)->elements.Expose()[peak]);
    }
    testing::ScaleToUnit(gradient);
    row = gradient;
    worst = std::max(worst, quantiser.Approximate(row)->residual);
  }
  EXPECT_GT(worst, 0.5) << "no row was clipped";
  ExpectEachRowIsProposedAtItsScore(RowsAround(row, 100, 6), row, kDimension);
  Matrix one_hot(kDimension, 0.0F);
  one_hot[3] = 1.0F;
  ExpectEachRowIsProposedAtItsScore(RowsAround(one_hot, 100, 7), one_hot, kDimension);
}

TEST(Proposals, TakeTheNormOfTheProbeIntoAccount) {
  for (const float factor : {0.5001F, 0.9F, 1.1F, 1.999F}) {
    Matrix probe = RandomUnitRows(1, 512, 21);
    const Matrix rows = RowsAround(probe, 60, 22);
    for (float& value : probe) value *= factor;
    ExpectEachRowIsProposedAtItsScore(rows, probe, 512);
  }
}

TEST(Proposals, HaveNoRowFarBelowTheThreshold) {
  constexpr std::size_t kDimension = 512;
  const Matrix probe = RandomUnitRows(1, kDimension, 31);
  const Matrix rows = RowsAround(probe, 500, 32);
  const Proposals proposals = ProposalsOf(rows, kDimension);
  for (const std::uint32_t row : Proposed(proposals, probe, 0.5)) {
    EXPECT_GT(Dot(std::span(rows).subspan(row * kDimension, kDimension), probe), 0.44);
  }
}

TEST(Proposals, HaveNoRowThatIsNotThere) {
  const Proposals proposals = ProposalsOf(RandomUnitRows(17, 128, 41), 128);
  for (const std::uint32_t row : Proposed(proposals, RandomUnitRows(1, 128, 42), 1e-9)) {
    EXPECT_LT(row, 17U);
  }
  const Proposals fewer = proposals.First(16);
  EXPECT_EQ(fewer.rows(), 16U);
}

TEST(Proposals, AreForTheDimensionsOfCanonicalTemplatesOnly) {
  EXPECT_TRUE(Proposals(128, 3).supported());
  for (const std::size_t dimension : {32U, 127U, 129U, 768U, 2048U}) {
    EXPECT_FALSE(Proposals(dimension, 3).supported());
  }
}

TEST(Proposals, RefuseAProbeWithoutADirection) {
  const Proposals proposals = ProposalsOf(RandomUnitRows(3, 128, 51), 128);
  Matrix probe(128, 0.0F);
  EXPECT_THAT(proposals.Find(probe, 0.5, sealed::FastestKernel()),
              FailsWith(ErrorCode::kInvalidArgument));
  probe[0] = std::numeric_limits<float>::quiet_NaN();
  EXPECT_THAT(proposals.Find(probe, 0.5, sealed::FastestKernel()),
              FailsWith(ErrorCode::kInvalidArgument));
}

}  // namespace
}  // namespace comity::matching
