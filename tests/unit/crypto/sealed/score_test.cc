// SPDX-License-Identifier: Apache-2.0
#include "crypto/sealed/score.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "tests/unit/crypto/sealed/slow_reference.h"

namespace comity::sealed {
namespace {

PlaneMatrix Filled(std::size_t rows, std::size_t columns,
                   const std::function<std::uint8_t()>& next) {
  PlaneMatrix matrix(rows, columns);
  Bytes row(columns * kCoefficientBytes);
  for (std::size_t i = 0; i < rows; ++i) {
    for (std::uint8_t& octet : row) octet = next();
    matrix.SetRow(i, row);
  }
  return matrix;
}

std::vector<Element> ScoreBy(Kernel kernel, const PlaneMatrix& matrix,
                             const std::vector<std::int8_t>& probes) {
  std::vector<Element> out(probes.size() / matrix.columns());
  Score(matrix, probes, kernel, out);
  return out;
}

std::vector<Element> SlowScores(const PlaneMatrix& matrix, const std::vector<std::int8_t>& probes) {
  std::vector<Element> out(probes.size() / matrix.columns(), Element{});
  for (std::size_t p = 0; p < out.size(); ++p) {
    for (std::size_t i = 0; i < matrix.rows(); ++i) {
      std::int64_t sum = 0;
      for (std::size_t j = 0; j < matrix.columns(); ++j) {
        sum += std::int64_t{matrix.At(i, j)} * probes[p * matrix.columns() + j];
      }
      out[p][i] = static_cast<std::uint32_t>(reference::Mod(sum));
    }
  }
  return out;
}

class EveryKernel : public ::testing::TestWithParam<Kernel> {};

TEST_P(EveryKernel, EqualsTheFormulaOnRandomNumbers) {
  std::mt19937_64 generator(1);
  for (const std::size_t d : {128U, 256U, 512U, 1024U}) {
    for (const std::size_t rows : {1U, 15U, 16U, 17U, 70U}) {
      const auto matrix = Filled(rows, d, [&] { return static_cast<std::uint8_t>(generator()); });
      for (const std::size_t count : {1U, 3U, 8U, 15U}) {
        std::vector<std::int8_t> probes(count * d);
        for (auto& q : probes) q = static_cast<std::int8_t>(generator() % 255 - 127);
        ASSERT_EQ(ScoreBy(GetParam(), matrix, probes), SlowScores(matrix, probes)) << d;
      }
    }
  }
}

// Where a product of octets that saturates, or a sum that does, would show.
TEST_P(EveryKernel, EqualsTheFormulaAtTheExtremes) {
  for (const std::size_t d : {128U, 1024U}) {
    for (const int octet : {0, 1, 127, 128, 255}) {
      const auto matrix = Filled(17, d, [&] { return static_cast<std::uint8_t>(octet); });
      std::vector<std::int8_t> probes;
      for (std::size_t j = 0; j < d; ++j) probes.push_back(127);
      for (std::size_t j = 0; j < d; ++j) probes.push_back(-127);
      for (std::size_t j = 0; j < d; ++j) probes.push_back(j % 2 == 0 ? 127 : -127);
      for (std::size_t j = 0; j < d; ++j) probes.push_back(j % 4 < 2 ? 127 : -127);
      for (std::size_t j = 0; j < d; ++j) probes.push_back(j < d / 2 ? 127 : 0);
      ASSERT_EQ(ScoreBy(GetParam(), matrix, probes), SlowScores(matrix, probes)) << octet;
    }
  }
}

TEST_P(EveryKernel, TakesBatchesUpTo32AndFullBlocks) {
  std::mt19937_64 generator(2);
  const auto matrix = Filled(1024, 128, [&] { return static_cast<std::uint8_t>(generator()); });
  std::vector<std::int8_t> probes(32 * std::size_t{128});
  for (auto& q : probes) q = static_cast<std::int8_t>(generator() % 255 - 127);
  const auto all = ScoreBy(GetParam(), matrix, probes);
  EXPECT_EQ(all, ScoreBy(Kernel::kPortable, matrix, probes));
  for (std::size_t count = 1; count < 32; ++count) {
    const auto some =
        ScoreBy(GetParam(), matrix,
                {probes.begin(), probes.begin() + static_cast<std::ptrdiff_t>(128 * count)});
    ASSERT_TRUE(std::equal(some.begin(), some.end(), all.begin())) << count;
  }
}

TEST_P(EveryKernel, SlotsThatAreNotThereAreZero) {
  const auto matrix = Filled(18, 128, [] { return std::uint8_t{255}; });
  std::vector<Element> out(1);
  out[0].fill(7);
  Score(matrix, std::vector<std::int8_t>(128, 1), GetParam(), out);
  EXPECT_NE(out[0][17], 0U);
  EXPECT_THAT(std::span(out[0]).subspan(18), ::testing::Each(0));
}

INSTANTIATE_TEST_SUITE_P(Supported, EveryKernel, ::testing::ValuesIn(SupportedKernels()));

TEST(Kernels, ThePortableOneIsAlwaysThere) {
  EXPECT_EQ(SupportedKernels().front(), Kernel::kPortable);
  EXPECT_EQ(FastestKernel(), SupportedKernels().back());
}

}  // namespace
}  // namespace comity::sealed
